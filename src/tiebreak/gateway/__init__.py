"""The gateway in front of everything: what it lets through, to whom, how often, and the configurations that say so.

One table (table.py) is the truth; kong.py and envoy.py render it for two gateways, so that both keep the same rules
(a policy, and adapters for who enforces it). Renderers are pure: the same deployment gives the same text.
Guarantees: a route that nobody wrote down needs a token; what the servers tell operators stays inside.
The servers behind it check tokens, roles and sizes themselves as well: a mistake here opens nothing.
May import: tokens, http_edge, errors. Known to the command line and to `tiebreak up` only.
"""
