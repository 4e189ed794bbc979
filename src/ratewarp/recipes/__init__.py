"""Recipes: how a model is trained. One file each, and one name in the table below."""

from typing import Annotated

from pydantic import Field

from ratewarp.recipes.constrained import Principled, Swift
from ratewarp.recipes.objective import Objective, Terms, distortion
from ratewarp.recipes.plain import Plain
from ratewarp.recipes.published import Published
from ratewarp.recipes.recipe import Recipe

AnyRecipe = Annotated[Principled | Published | Swift | Plain, Field(discriminator="name")]

__all__ = ["AnyRecipe", "Objective", "Plain", "Principled", "Published", "Recipe", "Swift", "Terms", "distortion"]
