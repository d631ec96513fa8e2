"""From a policy file to the policy, what is wrong with it, and how two differ."""
