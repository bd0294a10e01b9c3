"""Stateless builders (shared between folds) and learned encoders (refitted inside each fold).

Comes in: tables as known at the decision time.
Goes out: a Frame, a FeatureLedger; from encoders a Matrix.
May touch: facts known at the moment of decision.
Never: use a fact from after it; learn outside a fold.
"""
