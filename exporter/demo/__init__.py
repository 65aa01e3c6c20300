"""The whole thing on this machine: real servers on loopback, a small world of services, and an incident."""
