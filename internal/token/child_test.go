package token_test

const roleVariable = "HUB_TOKEN_ROLE"

func child(string) {}
