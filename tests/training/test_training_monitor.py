import csv
import pickle
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from uncheck.errors import UncheckError
from uncheck.training import LatticeMonitor, LatticeTracker

lightning = pytest.importorskip("lightning.pytorch")

SPAN = (-1.0, 1.0)


class Gan(lightning.LightningModule):
    """A generator and a discriminator with an optimizer each."""

    def __init__(self, manual=True):
        super().__init__()
        self.automatic_optimization = not manual
        self.generator = nn.Sequential(
            nn.ConvTranspose2d(8, 8, 3, 2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.ConvTranspose2d(8, 3, 4, 2),
            nn.Tanh(),
        )
        self.discriminator = nn.Sequential(nn.Conv2d(3, 8, 4, 2), nn.ReLU(), nn.Conv2d(8, 1, 4, 2))

    def configure_optimizers(self):
        nets = (self.generator, self.discriminator) if not self.automatic_optimization else (self.generator,)
        optimizers = [torch.optim.SGD(net.parameters(), 0.05) for net in nets]
        return optimizers if not self.automatic_optimization else optimizers[0]

    def training_step(self, batch, index):
        images = self.generator(torch.randn(8, 8, 5, 5))
        if self.automatic_optimization:
            return {"loss": self.discriminator(images).square().mean(), "images": images}
        one, two = self.optimizers()
        loss = self.discriminator(images).mean()
        one.zero_grad()
        self.manual_backward(loss)
        one.step()
        loss = (1 - self.discriminator(images.detach())).mean()
        two.zero_grad()
        self.manual_backward(loss)
        two.step()
        return {"images": images}


def fit(module, *callbacks, folder=None, loggers=False, **options):
    lightning.seed_everything(3)
    trainer = lightning.Trainer(
        accelerator="cpu",
        logger=loggers,
        callbacks=list(callbacks),
        default_root_dir=folder,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **{"max_epochs": 2, **options},
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        trainer.fit(module, DataLoader(TensorDataset(torch.zeros(10, 1)), batch_size=1))
    return trainer


def module(**options):
    torch.manual_seed(0)
    return Gan(**options)


def monitor(**options):
    codes = torch.randn(16, 8, 5, 5, generator=torch.Generator().manual_seed(1))
    given = {"inputs": codes, "network": lambda m: m.generator, "every": 5, "span": SPAN, "visible": 1e9}
    return LatticeMonitor(**given | options)


@pytest.mark.integration
def test_both_loggers_have_what_was_measured_and_training_is_the_same(tmp_path):
    pytest.importorskip("tensorboard")
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    boards = [CSVLogger(tmp_path / "csv"), TensorBoardLogger(tmp_path / "board")]
    watched, plain, one = module(), module(), monitor()
    trainer = fit(watched, one, folder=tmp_path, loggers=boards)
    fit(plain, folder=tmp_path)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, watched.state_dict()[name]), name
    # Two optimizers: global_step counts both, loggers count batches.
    assert trainer.global_step == 40
    assert [m.step for m in one.history] == [5, 10, 15, 20]
    assert one.tracker.end == 20
    for name, value in one.history[-1].values().items():
        assert trainer.callback_metrics[name].item() == pytest.approx(value, rel=1e-6)
    events = EventAccumulator(boards[1].log_dir)
    events.Reload()
    lines = Path(boards[0].log_dir, "metrics.csv").read_text().splitlines()
    rows = {int(row["step"]): row for row in csv.DictReader(lines)}
    assert "lattice/gain_spread/3" in one.history[0].values()
    for name in one.history[0].values():
        wanted = {m.step - 1: m.values()[name] for m in one.history}  # Lightning logs from step 0
        assert {e.step: e.value for e in events.Scalars(name)} == pytest.approx(wanted, rel=1e-6), name
        assert {step: float(row[name]) for step, row in rows.items()} == pytest.approx(wanted, rel=1e-6)
    last = LatticeTracker(watched.generator, one.tracker.inputs, every=1, span=SPAN, visible=1e9).step()
    assert last.values() == one.history[-1].values()


@pytest.mark.integration
def test_outputs_of_the_training_step_and_a_checkpoint(tmp_path):
    seen = []

    class Seen(lightning.Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, index):
            seen.append(outputs["images"])

    given = monitor(inputs=None, outputs="images")
    made = monitor(inputs=None, outputs=lambda o: o["images"], prefix="made/")
    trainer = fit(module(manual=False), Seen(), given, made, folder=tmp_path, max_epochs=-1, max_steps=10)
    assert [m.step for m in given.history] == [5, 10]
    assert given.history == made.history
    assert given.tracker.end == 10
    assert given.history[0].strength == LatticeTracker(every=1, span=SPAN, visible=1e9).step(seen[4]).strength
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    later = monitor(inputs=None, outputs="images")
    lightning.Trainer(
        accelerator="cpu", callbacks=[later], max_steps=20, logger=False, enable_progress_bar=False,
        enable_checkpointing=False, enable_model_summary=False,
    ).fit(
        module(manual=False), DataLoader(TensorDataset(torch.zeros(10, 1)), batch_size=1),
        ckpt_path=tmp_path / "half.ckpt", weights_only=True,
    )  # fmt: skip
    assert [m.step for m in later.history] == [5, 10, 15, 20]
    assert later.history[:2] == given.history


@pytest.mark.integration
def test_missing_outputs_end_no_training(tmp_path):
    with pytest.warns(UserWarning, match="training_step returned no 'fake'; return a dict with the images"):
        trainer = fit(module(manual=False), monitor(inputs=None, outputs="fake"), folder=tmp_path)
    assert trainer.global_step == 20


def test_needs_something_to_measure():
    with pytest.raises(UncheckError, match="nothing to measure; give inputs for the network, or outputs"):
        LatticeMonitor()


class Recorded:
    """Stands for a trainer where only its plan counts."""

    def __init__(self, planned, max_steps=-1, global_step=20):
        self.planned, self.max_steps, self.global_step = planned, max_steps, global_step

    @property
    def estimated_stepping_batches(self):
        if self.planned is None:
            raise RuntimeError("accumulation changes")
        return self.planned


@pytest.mark.parametrize(
    ("trainer", "end"),
    [
        (Recorded(200), 200),
        (Recorded(float("inf")), None),
        (Recorded(-1), None),
        (Recorded(None), None),
        (Recorded(None, max_steps=60), 30),
        (Recorded(16, max_steps=100_000), 16),
        (Recorded(200, max_steps=61), 31),
    ],
)
def test_end_of_training(trainer, end):
    from uncheck.training.monitor import _end

    # Two optimizers: 10 batches are 20 steps of Lightning's.
    assert _end(trainer, 10) == end


@pytest.mark.integration
def test_after_the_optimizer_and_only_then(tmp_path):
    seen, one = {}, monitor(every=1)

    class Weights(lightning.Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, index):
            seen[index] = trainer.global_step

    measured, own = [], one.tracker.measure
    one.tracker.measure = lambda outputs, step: measured.append((step, len(seen))) or own(outputs, step)
    fit(module(manual=False), one, Weights(), folder=tmp_path, max_epochs=1, accumulate_grad_batches=4)
    assert measured == [(1, 3), (2, 7), (3, 9)], "10 batches: after the 4th, the 8th and the last"
    assert one.tracker.end == 3


@pytest.mark.integration
def test_data_without_length(tmp_path):
    class Endless(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(torch.zeros(10, 1))

    one = monitor()
    lightning.Trainer(
        accelerator="cpu", callbacks=[one], max_epochs=1, logger=False, enable_progress_bar=False,
        enable_checkpointing=False, enable_model_summary=False, default_root_dir=tmp_path,
    ).fit(module(), DataLoader(Endless()))  # fmt: skip
    assert one.tracker.end is None
    assert [m.step for m in one.history] == [5, 10]


@pytest.mark.integration
def test_a_network_that_is_not_there_ends_no_training(tmp_path):
    with pytest.warns(UserWarning, match="there is no network: .* has no attribute 'decoder'"):
        trainer = fit(module(), monitor(network=lambda m: m.decoder), folder=tmp_path)
    assert trainer.global_step == 40


def network_of(lightning_module):
    return lightning_module.generator


def test_pickles():
    one = monitor(network=network_of)
    one.tracker.model = module().generator
    one.tracker.measure()
    for made in (monitor(network=network_of), one):
        again = pickle.loads(pickle.dumps(made))
        assert again.history == made.history
        assert again.state_key == made.state_key
    assert again.tracker.measure() == one.tracker.measure()
