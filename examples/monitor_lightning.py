"""Watch the lattice of a network while Lightning trains it, and learn early whether it will fade."""

import lightning.pytorch as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from uncheck.training import LatticeMonitor


class Enlarger(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv2d(1, 8, 3, 1, 1), nn.ReLU(), nn.ConvTranspose2d(8, 1, 3, 2, 1, 1)
        )

    def training_step(self, batch, _):
        (large,) = batch
        return (self.network(large[..., ::2, ::2]) - large).square().mean()

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 1e-2)


torch.manual_seed(0)
place, (one, two) = torch.arange(32.0), 0.4 * torch.rand(2, 256, 1, 1, 1)
start = 9 * torch.rand(256, 1, 1, 1)
waves = 0.5 + 0.3 * torch.sin(start + one * place[:, None] + two * place)

monitor = LatticeMonitor(  # its numbers also go to loggers, if the trainer is given any
    inputs=waves[:32, :, ::2, ::2], network=lambda module: module.network, every=5, span=(0, 1)
)
trainer = pl.Trainer(max_epochs=12, callbacks=[monitor], accelerator="cpu", logger=False,
                     enable_checkpointing=False, enable_model_summary=False)  # fmt: skip
trainer.fit(Enlarger(), DataLoader(TensorDataset(waves), batch_size=16))
for measured in monitor.history[::6]:
    print(f"step {measured.step}: {measured.strength:.2f} grey levels, gain spreads {measured.spreads}")
print(monitor.trend())
