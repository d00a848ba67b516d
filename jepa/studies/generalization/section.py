"""The figures of the study `generalization`."""

from jepa.evaluation.declarations import Chart, Section

TABLE = "study_generalization"
ERROR_AXES = {"x_label": "latent dimensions", "y_label": "spectral risk of the worst action", "log_y": True}

SECTION = Section(
    "Generalization: spectral risk, regret and samples",
    (
        Chart(
            "seed_lines",
            table=TABLE,
            where={"experiment": "constant", "metric": "singular_value"},
            heading="Singular values of M̄",
            reading="Of the first action. Deterministic worlds have ones and zeros only: there the risk has no knee, "
            "and few dimensions cost much.",
            options={"series": "world", "x_label": "index", "y_label": "singular value"},
        ),
        *(
            Chart(
                "seed_lines",
                table=TABLE,
                where={"experiment": "regret", "metric": "regret", "world": world, "samples": samples},
                heading=f"One-step regret and its bounds, {words}",
                reading="A regret is never above 1: a bound that is says nothing.",
                options={
                    "series": "quantity",
                    "x_label": "latent dimensions",
                    "y_label": "expected regret",
                    "log_y": samples != "0",
                },
            )
            for world, samples, words in (
                ("ring", "0", "ring, exact optimum"),
                ("ring", "200", "ring, 200 pairs of each action"),
                ("skewed_blocks", "0", "next law differs between actions"),
            )
        ),
        Chart(
            "seed_lines",
            table=TABLE,
            where={"experiment": "horizon", "metric": "regret", "world": "permutations", "samples": "15"},
            heading="Regret over the length of plans, deterministic world, 15 pairs of each action",
            reading="The bound grows linearly; measured regret cannot pass 1.",
            options={"series": "quantity", "x_label": "steps", "y_label": "expected regret"},
        ),
        Chart(
            "seed_lines",
            table=TABLE,
            where={"experiment": "spectral", "metric": "trained_risk"},
            heading="The objective trained by stochastic gradients",
            reading="The spectral risk that training ends at, beside the least that a shared encoder can have.",
            options={"series": "quantity", "x_label": "latent dimensions", "y_label": "spectral risk"},
        ),
        Chart(
            "seed_lines",
            table=TABLE,
            where={"experiment": "tradeoff", "metric": "error", "samples": "200"},
            heading="Approximation and sample error, 200 pairs of each action",
            reading="One falls and the other grows with the latent dimension; the risk is their sum.",
            options={"series": "quantity", **ERROR_AXES, "log_y": False},
        ),
        Chart(
            "seed_lines",
            table=TABLE,
            where={"experiment": "tradeoff", "metric": "error", "quantity": "risk"},
            heading="Risk over latent dimension, by pairs of each action",
            reading="The lowest point moves to more dimensions as samples are added.",
            options={"series": "samples", **ERROR_AXES},
        ),
        Chart(
            "seed_lines",
            table=TABLE,
            where={"experiment": "tradeoff", "metric": "regret"},
            heading="Regret over latent dimension, by pairs of each action",
            reading="All dimensions are prediction of the input: no approximation error, the greatest sample error.",
            options={"series": "samples", "x_label": "latent dimensions", "y_label": "expected regret", "log_y": True},
        ),
        Chart(
            "heat_map",
            table="study_generalization_success",
            heading="Noisy point mass: goals reached, by the steps that a goal requires and by noise",
            reading="Share of the masses that come within 0.08 of the goal, by what the plans are made with.",
            options={"x": "required", "y": "noise", "value": "success", "series": "target"},
        ),
        Chart(
            "seed_lines",
            table=TABLE,
            where={"experiment": "point_mass", "metric": "lead"},
            heading="Lead of latents over input, by noise",
            reading="Share of goals reached with latents less that with input; above zero latents are ahead.",
            options={"series": "noise", "x_label": "required steps", "y_label": "difference of success", "mark": 0.0},
        ),
    ),
    missing="The study has not been run: `jepa study generalization --preset tiny`.",
)
