"""Systems of thirty-one other papers under the paper's claim: a module a family, `catalogue` lists them."""
