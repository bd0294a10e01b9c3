"""Contract suites that extenders run, and we do: connector, check, repair, model, transformer, detector.

Comes in: a part.
Goes out: failed assertions with the reason, or silence.
May touch: small data that it makes itself.
Never: need real data or a server.
"""
