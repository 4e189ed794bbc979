"""How every figure and table of the page is read: for someone who knows none of its words."""

from __future__ import annotations

READINGS: dict[str, tuple[str, ...]] = {
    "phases": (
        "A square of a panel is one trained model, and its colour says which warps it has: none, one, or"
        " several at once. Panels go by capacity, the axes of a panel by what else the study varies.",
        "Look for borders: where the colour changes, a little more of a task, or of a skew in frequency,"
        " begins to change the code.",
        "A square without colour means that no warp stood out from chance, not that there is none.",
    ),
    "phase_indices": (
        "The same squares, coloured by how strong one warp is: orange above the reference, purple below"
        " it, white as the reference. A dot marks what stands out from chance.",
        "Colours end where 98 in 100 values do, so that few extremes do not make all others pale.",
    ),
    "phase_slices": (
        "A line is a row through the maps above: one warp along one axis, at one capacity; bars are"
        " intervals of 95 %.",
        "A line that leaves 0 at some place says how much skew, or how much of a task, it takes.",
    ),
    "overview": (
        "A dot is one image, placed where the model puts it: dots that lie close are images that the"
        " model tells apart with difficulty. A row is a capacity, from much (above) to little (below); a"
        " column is a model.",
        "Compare each column with the first, downwards: clumps of one colour are prototypization; a"
        " class with more room than its share is specialization. Orthogonalization is about latents, and a"
        " map cannot show it: see tuning.",
        "Codes have more dimensions than a page has: what stress says is how much of the distances is"
        " lost. Turns and mirror images of a map mean nothing.",
    ),
    "rate_distortion": (
        "Left, a mark on the grey line is a model that reached the rate it was asked for. Right, further"
        " down is better (images are decoded with fewer errors), further left is cheaper (the code says"
        " less about its image). A nat is 1.44 bits.",
        "A model above another of the same rate spends its rate on something else than the image.",
    ),
    "bound": (
        "The line is the limit: for its rate, no code has less distortion, whatever made it. A mark is a"
        " trained model.",
        "The vertical gap from a mark to its line is what that model could still gain; the horizontal"
        " gap is the rate that it does not use for the image.",
        "The limit is of the stimuli and of how often each occurs, so that models with other frequencies"
        " have another line.",
    ),
    "distortion": (
        "Further down is better. A line is a model over its capacities; the band goes from the best to"
        " the worst seed.",
        "Lines fall as capacity grows. A line above that of the reference pays with errors in its images"
        " for what its task or its frequencies ask.",
    ),
    "f1": (
        "F1 is 1 where every image is put into its class, and falls with both kinds of mistakes. Further"
        " up is better.",
        "Heads on frozen codes show what a code tells of a class by itself. Heads trained with the model"
        " show what it tells when it was made for that.",
    ),
    "warps": (
        "A panel is a measure, a line a model. In panels of changes 0 is the reference: above it there"
        " is more of the warp, below it less.",
        "A bar that does not reach 0 is a change by more than the choice of stimuli explains. Small"
        " points are single seeds: where they disagree, training decides, not capacity.",
        "To the left capacity is little: most warps of a task grow that way, others need not.",
    ),
    "normative": (
        "A line is the best code that can be for the same stimuli, tasks and rate; a mark is a trained"
        " model.",
        "Where marks follow their line, the warp is what an optimal code has to do. Where they do not,"
        " it comes from the network or its training.",
    ),
    "reference": (
        "What a code looks like when nothing warps it: no task, and every stimulus equally frequent,"
        " unless the study says otherwise. Everything else on this page is compared with it.",
        "A tuning curve is the mean of one latent over the stimuli. A latent that is the same everywhere"
        " is not in use; with less capacity fewer are.",
    ),
    "model": (
        "Left the reference, beside it this model, in the same colours and on one scale; right, the"
        " distances between classes of the one over those of the other.",
        "In that square, orange off the diagonal are two classes that were pushed apart, purple on the"
        " diagonal a class whose images were drawn together. Both at once are what prototypization looks"
        " like.",
        "The figure is of one seed; the panels of warps have all of them.",
    ),
    "capacity": (
        "Rows and columns are stimuli, in the same order. Orange are two stimuli whose distance was kept"
        " while capacity shrank, purple two that were merged.",
        "Blocks along the diagonal are groups of stimuli that merge among themselves: categories that"
        " compression makes.",
    ),
    "images": (
        "What the networks see: samples of some stimuli, ordered by what they differ in.",
        "Images of one stimulus may differ by chance (noise of pixels): a code need not keep that.",
    ),
    "examples": (
        "The upper row are images, each row below is what one model makes of them after they went"
        " through its code.",
        "With less capacity reconstructions become alike: what disappears first is what the model was"
        " not asked to keep.",
    ),
    "models": (
        "A row is one trained network. Off target: its rate ended too far from its capacity to stand for"
        " it; diverged: its training broke down, and its numbers are not used.",
        "Standard errors say how much a number would move with other images; they say nothing of other"
        " seeds.",
    ),
    "tasks": (
        "A row is one head: a small network that reads a class from the code. Accuracy is the share of"
        " images that it puts into the right class; F1 also falls where a rare class is overlooked.",
    ),
    "geometry": (
        "A row is one measure of one network. A change is the measure minus that of the reference in the"
        " same place of the study; the interval holds for other stimuli of the same kind.",
    ),
}
