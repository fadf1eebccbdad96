"""Thirty-one systems of other papers under the paper's claim: one module a family, each system as short as its idea."""
