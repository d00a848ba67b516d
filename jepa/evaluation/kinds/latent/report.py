"""What the description of the latent space leaves for the report: its headline figures."""

from jepa.evaluation.declarations import HeadlineFigure

HEADLINES = (
    HeadlineFigure("effective_rank", "effective_rank", "effective rank of latents", track=None, order=60),
    HeadlineFigure("straightness", "straightness", "straightness of trajectories", track=(-1.0, 1.0), order=61),
    HeadlineFigure("sigreg", "sigreg", "SIGReg of 128 latents, 1 if Gaussian", track=None, order=62),
)
