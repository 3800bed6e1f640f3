"""The drivers that come with the server."""

from rotoclear.drivers.simulated import SimulatedHead, SimulatedLights, SimulatedStorage

simulated_head_1 = SimulatedHead(1)
simulated_head_2 = SimulatedHead(2)
simulated_lights = SimulatedLights()
simulated_storage = SimulatedStorage()
