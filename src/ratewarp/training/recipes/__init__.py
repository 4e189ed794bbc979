"""Recipes: how a model is trained. One file each, and one name in the table below."""

from typing import Annotated, get_args

from pydantic import Field

from ratewarp.training.recipes.constrained import Principled, Swift
from ratewarp.training.recipes.objective import Objective, Terms
from ratewarp.training.recipes.plain import Plain
from ratewarp.training.recipes.published import Published
from ratewarp.training.recipes.recipe import Recipe

AnyRecipe = Annotated[Principled | Published | Swift | Plain, Field(discriminator="name")]
RECIPES: tuple[type[Recipe], ...] = get_args(get_args(AnyRecipe)[0])

__all__ = [
    "RECIPES",
    "AnyRecipe",
    "Objective",
    "Plain",
    "Principled",
    "Published",
    "Recipe",
    "Swift",
    "Terms",
]
