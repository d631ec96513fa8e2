"""The simulated contact centre: customers, agents, tickets, and what happens between them."""
