// A model's state, and changes of it that all its views and Python hear of.

import { same } from "./arithmetic.mjs";

export const stateOf = (model, traits) => Object.fromEntries(traits.map((trait) => [trait, model.get(trait)]));

// Sets the traits that differ, {trait: value}, and sends them together, so that Python sees no state in between.
export function change(model, changes) {
  const differing = Object.entries(changes).filter(([trait, value]) => !same(model.get(trait), value));
  if (!differing.length) return;
  for (const [trait, value] of differing) model.set(trait, value);
  model.save_changes();
}
