"""How an application reaches BookedBarber's database tier."""
