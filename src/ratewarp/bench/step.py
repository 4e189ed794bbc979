"""What every contestant trains: the published model under the published objective (see `docs/speed.md`)."""

BATCH_SIZE = 64
LATENTS = 5
LEARNING_RATE = 5e-4  # Adam's
CAPACITY = 10.0  # nats
PRESSURE = 300 * 3e-4  # weight of |rate − capacity|
