"""How well pictures drawn from latents match the true frames, by how far ahead they were imagined."""

from collections.abc import Iterator

import pandas as pd
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.style import BLUE, GREY, canvas, svg

LINES = (("decoder", BLUE, "drawn"), ("mean_frame", GREY, "the mean training frame, whatever is seen"))


@DRAWINGS.register("decoding_curves")
class DecodingCurves(Drawing):
    """The decoder's `psnr` rows beside the mean training frame's."""

    def draw(self, subject: Subject) -> Iterator[Block]:
        yield Block(decoding_curves(subject.rows), subject.heading)


def decoding_curves(psnr: pd.DataFrame) -> Markup:
    """Returns a chart of the `psnr` rows of one model and split: blocks ahead (0 is encoded) against dB."""
    rows = psnr.assign(ahead=psnr.quantity.map(blocks_ahead)).dropna(subset=["ahead"])
    with canvas(1, 1, (5.0, 2.8)) as (figure, (ax,)):
        for probe, colour, name in LINES:
            curve = rows[rows.probe == probe].groupby("ahead")[["value", "ci_low", "ci_high"]].mean()
            ax.fill_between(curve.index, curve.ci_low, curve.ci_high, color=colour, alpha=0.22, linewidth=0)
            ax.plot(curve.index, curve.value, color=colour, marker="o", markersize=2.8, label=name)
        ax.set_xlabel("action blocks ahead; 0 is the frame's own latent")
        ax.set_ylabel("PSNR, dB")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_ylim(ax.get_ylim()[0], ax.get_ylim()[1] + 0.25 * (ax.get_ylim()[1] - ax.get_ylim()[0]))  # the legend's
        ax.legend(frameon=False, fontsize=8.5, loc="upper right")
        return svg(figure, "Peak signal-to-noise ratio of drawn pictures by blocks ahead, beside the mean frame's")


def blocks_ahead(quantity: object) -> float:
    """Returns 0 for `encoded`, k for `imagined_k`, NaN for anything else."""
    name, _, blocks = str(quantity).partition("_")
    if name == "encoded":
        return 0.0
    return float(blocks) if name == "imagined" and blocks.isdigit() else float("nan")
