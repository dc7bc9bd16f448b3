package component

// Keycloak is an OpenID Connect provider that MAS lets users log in through. It runs elsewhere.
const Keycloak Program = "keycloak"

var keycloak = Component{
	Program: Keycloak, Title: "Keycloak",
	Container: &Container{},
	Secrets: []Secret{{
		// Keycloak takes the secret of a client that is imported, so nobody has to make the client first.
		Name:   "auth.upstream.{name}.client_secret",
		Where:  "a client that Keycloak has already keeps its own (Clients, {client}, Credentials): give it to `secrets set`",
		Breaks: "Keycloak keeps the old one, and nobody can log in through {name} until the new one stands there, too (Clients, {client}, Credentials)",
	}},
}
