"""What a test runs in which tier: examples of property tests, and cases of parametrized ones.

The profiles of Hypothesis hold for every property test that says nothing else. One whose example is dear,
or whose power needs more, says both numbers: `@examples(5, 100)`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import settings

settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("full", max_examples=200, deadline=None)


def examples(few: int, many: int, **options: bool) -> settings:
    """Return settings of a property test: `few` examples in the quick profile, `many` otherwise."""
    quick = settings.get_current_profile_name() == "quick"
    return settings(max_examples=few if quick else many, **options)


def cases(quick: Iterable[object], integration: Iterable[object]) -> list[object]:
    """Return values of `pytest.mark.parametrize`: some for the quick tier, the others for integration."""
    later = (value if isinstance(value, tuple) else (value,) for value in integration)
    return [*quick, *(pytest.param(*value, marks=pytest.mark.integration) for value in later)]


def every(step: int, values: Iterable[object]) -> list[object]:
    """Return values of `pytest.mark.parametrize`: every so many for the quick tier, all for integration."""
    values = list(values)
    return cases(values[::step], [value for i, value in enumerate(values) if i % step])


#: Parametrized tests of which every so many cases are quick, and all integration tests. A folder, file or
#: function; the longest that fits counts.
SAMPLED = {
    "tests/editing/test_editing_weights.py": 4,
    "tests/fusing/test_fusing_peers.py": 5,
    "tests/fusing/test_fusing_released.py": 3,
    "tests/fusing/test_fusing_ways.py": 3,
    "tests/fusing/test_fusing_zoo.py": 3,
    "tests/fusing/test_fusing_errors.py": 2,
    "tests/measuring": 3,
    "tests/measuring/test_measuring_cases.py": 3,
    "tests/measuring/test_measuring_long_periods.py": 3,
    "tests/measuring/test_measuring_rivals.py": 3,
    "tests/measuring/test_measuring_rivals_content.py": 4,
    "tests/measuring/test_measuring_rivals_jpeg.py": 3,
    "tests/measuring/test_measuring_sets.py": 3,
    "tests/measuring/test_measuring_together.py": 3,
    "tests/probing": 2,
    "tests/probing/test_probing_answers.py": 4,
    "tests/reading": 3,
    "tests/reading/test_reading_leave.py": 3,
    "tests/reading/test_reading_ledger.py": 3,
    "tests/reading/test_reading_period.py": 3,
    "tests/reading/test_reading_released.py": 3,
    "tests/repairing": 4,
    "tests/swapping": 3,
    "tests/training/test_training_gains.py": 3,
    "tests/training/test_training_tracker.py": 3,
    "tests/cli": 3,
    "tests/layers": 3,
    "tests/layers/test_layers_resize.py": 3,
}

#: Dear tests that are integration tests, by file.
LATER = {
    "tests/cli/test_cli_fuse.py": (
        "test_a_refusal_exits_with_1_and_writes_the_rest",
        "test_the_file_loads_as_the_page_says",
        "test_the_weights_are_named_on_stderr",
        "test_without_input_a_picture_is_made_up",
    ),
    "tests/cli/test_cli_inspect.py": (
        "test_inputs_from_an_array_and_from_a_callable",
        "test_pictures_are_made_grey_for_a_network_of_one_channel",
        "test_range_and_threshold_are_used",
        "test_sound_at_a_rate_is_in_hertz_and_decibels",
    ),
    "tests/cli/test_cli_repair.py": (
        "test_an_export_that_fails_costs_nothing_else",
        "test_exports_beside_the_rest",
    ),
    "tests/editing/test_editing_weights.py": ("test_parametrised_weights_become_plain_first",),
    "tests/fusing/test_fusing_errors.py": ("test_the_forward_of_one_layer_that_was_replaced_is_refused",),
    "tests/fusing/test_fusing_released.py": (
        "test_the_demo_network_has_no_resize",
        "test_the_demo_network_with_resize_convolutions",
    ),
    "tests/fusing/test_fusing_ways.py": (
        "test_exports_stay_right_at_sizes_of_no_whole_ratio",
        "test_layers_of_this_package_are_finished",
    ),
    "tests/fusing/test_fusing_zoo.py": (
        "test_attributes_methods_and_kind_stay",
        "test_weights_go_into_a_network_fused_elsewhere",
    ),
    "tests/measuring/test_measuring_calibration.py": (
        "test_false_alarms_are_at_most_one_percent",
        "test_false_alarms_in_volumes",
        "test_p_values_are_uniform_on_white_noise",
        "test_uniformity_check_sees_wrong_degrees_of_freedom",
    ),
    "tests/measuring/test_measuring_long_periods.py": (
        "test_a_tile_over_noise_is_one_component_of_its_period",
        "test_false_alarms_of_noise_are_as_rare_as_stated",
        "test_loose_significance_is_kept_to",
        "test_photographs_are_clean_at_every_period",
        "test_tiles_over_a_photograph_have_the_right_period",
    ),
    "tests/measuring/test_measuring_opponent.py": ("test_errors_are_the_scatter_over_pictures",),
    "tests/measuring/test_measuring_rivals.py": ("test_uncompressed_photographs_show_no_grid",),
    "tests/measuring/test_measuring_rivals_content.py": ("test_no_period_of_a_lattice_is_content_by_itself",),
    "tests/measuring/test_measuring_sets.py": ("test_contents_alone_are_no_lattice",),
    "tests/measuring/test_measuring_together.py": (
        "test_exit_code_is_that_of_the_set",
        "test_mixed_sizes_are_groups",
        "test_weak_stripes_of_eight_in_jpeg_pictures_are_a_rival",
        "test_what_a_camera_leaves_in_all_pictures_is_a_rival",
    ),
    "tests/measuring/test_measuring_tones.py": ("test_memory_stays_small",),
    "tests/probing/test_probing_answers.py": (
        "test_a_checkerboard_of_known_depth_has_the_amplitude_it_has",
        "test_amplitudes_are_shares_of_the_range_whatever_its_unit",
        "test_made_up_input_of_a_shape_is_the_one_made_up",
        "test_the_order_of_samples_and_of_channels_does_not_matter",
        "test_the_same_answer_in_whatever_nest_the_picture_comes",
        "test_the_threshold_parts_lattice_from_traces_and_moves_nothing",
        "test_turning_picture_and_network_turns_the_periods",
    ),
    "tests/probing/test_probing_explained.py": (
        "test_upsampling_that_makes_all_of_it_is_not_acquitted_for_another",
    ),
    "tests/probing/test_probing_gathering.py": ("test_a_lattice_that_one_input_hides_is_found_with_eight",),
    "tests/probing/test_probing_inspect.py": (
        "test_a_model_that_writes_to_its_input_is_probed_with_the_same_input_each_time",
        "test_enlarging_that_was_not_read_is_said",
    ),
    "tests/probing/test_probing_periods.py": ("test_a_generator_from_codes_is_understood",),
    "tests/probing/test_probing_replay.py": ("test_the_same_as_a_full_watch",),
    "tests/reading/test_reading_foreign.py": (
        "test_a_stage_inside_a_scripted_module_is_blamed",
        "test_scripted_pointwise_functions_are_understood",
        "test_the_stages_of_scripted_modules_are_those_of_the_module",
    ),
    "tests/reading/test_reading_layout.py": ("test_random_chains",),
    "tests/reading/test_reading_leave.py": ("test_an_interrupt_anywhere_leaves_the_network_as_found",),
    "tests/reading/test_reading_ledger.py": ("test_ignored_calls_have_a_criterion",),
    "tests/reading/test_reading_overlap.py": ("test_inspect_overlap_and_torch_agree",),
    "tests/reading/test_reading_taught.py": ("test_a_python_function_with_a_scale",),
    "tests/repairing/test_repairing_distill.py": (
        "test_a_network_of_one_resolution_learns_from_itself_spun",
        "test_refusals_say_why",
    ),
    "tests/repairing/test_repairing_prepare.py": ("test_photographs_bring_nothing_of_their_own",),
    "tests/repairing/test_repairing_project.py": (
        "test_one_tap_per_phase_with_a_bias_per_phase_gets_the_biases_alone",
    ),
    "tests/repairing/test_repairing_repair.py": (
        "test_spinning_is_found_too",
        "test_the_users_model_and_the_process_stay_as_they_are",
    ),
    "tests/repairing/test_repairing_training.py": (
        "test_memory_changes_nothing",
        "test_training_lowers_the_loss_and_the_lattice",
        "test_what_is_of_another_training_or_broken_is_left_alone",
    ),
    "tests/swapping/test_swapping_swap.py": (
        "test_an_even_layer_is_carried_over_exactly",
        "test_gain_variance_and_sizes",
        "test_output_size_argument",
        "test_what_is_refused",
    ),
    "tests/training/test_training_gains.py": (
        "test_forgotten_with_the_network",
        "test_gradient_against_differences",
        "test_released_networks",
        "test_the_penalty_follows_changed_layers",
    ),
    "tests/training/test_training_tracker.py": (
        "test_a_network_that_cannot_be_read_is_measured_still",
        "test_goes_on_after_a_checkpoint",
        "test_going_back_to_an_earlier_step",
        "test_measures_what_the_metric_does",
        "test_once_means_once",
        "test_periods_of_the_stages_are_tested",
        "test_replaced_layers_are_read_again",
        "test_steps_that_skip",
        "test_tensorboard_reads_back_what_was_measured",
        "test_training_is_the_same_to_the_last_bit",
    ),
    "tests/cli/test_cli_safety.py": (
        "test_a_file_that_is_not_read_is_replaced",
        "test_a_target_that_goes_elsewhere_moves_no_file",
    ),
    "tests/editing/test_editing_store.py": ("test_an_exported_program_takes_other_sizes",),
    "tests/experiments/test_experiments_claims.py": ("test_verdicts_follow_from_the_committed_rows",),
    "tests/experiments/test_experiments_gradients.py": (
        "test_the_gradient_of_a_strided_network_has_its_period_and_of_a_plain_one_none",
    ),
    "tests/fusing/test_fusing_export.py": ("test_export_with_open_sizes",),
    "tests/layers/test_layers_contract.py": ("test_torch_layers_pass",),
    "tests/layers/test_layers_hold.py": ("test_contract",),
    "tests/measuring/test_measuring_agreement.py": ("test_all_agree_on_random_networks",),
    "tests/measuring/test_measuring_blocks.py": (
        "test_blocks_begin_where_the_picture_was_cut",
        "test_the_least_likely_grid_is_that_of_trying_all",
    ),
    "tests/measuring/test_measuring_limits.py": ("test_a_lattice_at_the_limit_is_found_in_95_of_100",),
    "tests/probing/test_probing_outputs.py": (
        "test_frames_are_measured_on_the_axes_of_their_stage",
        "test_one_output_can_be_chosen",
    ),
    "tests/probing/test_probing_planted.py": ("test_a_counterfactual_that_does_nothing_blames_nobody",),
    "tests/reading/test_reading_record.py": ("test_activations_are_not_kept_alive",),
    "tests/signals/test_signals_pictures.py": ("test_many_pages_count_together",),
    "tests/training/test_training_metric.py": ("test_forward_gives_the_batch_and_adds_it",),
    "tests/training/test_training_trend.py": ("test_ignoring_correlation_would_be_caught",),
}


def sample(items: Iterable[pytest.Item]) -> None:
    """Mark the tests in LATER, and the cases that SAMPLED leaves out of the quick tier."""
    seen: Counter[str] = Counter()
    for item in items:
        name, _, case = item.nodeid.partition("[")
        file, _, function = name.partition("::")
        if function in LATER.get(file, ()):
            item.add_marker(pytest.mark.integration)
            continue
        fitting = [place for place in SAMPLED if name.startswith(place)]
        if not case or not fitting or item.get_closest_marker("integration"):
            continue
        if seen[name] % SAMPLED[max(fitting, key=len)]:
            item.add_marker(pytest.mark.integration)
        seen[name] += 1
