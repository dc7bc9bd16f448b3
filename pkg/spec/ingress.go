package spec

import (
	"cmp"
	"fmt"
)

// Ingress is how requests from outside reach the stack.
type Ingress struct {
	// Kind of the proxy: traefik (default), caddy, nginx, or none of these.
	Kind string `yaml:"kind,omitempty" jsonschema:"enum=traefik,enum=caddy,enum=nginx,enum=none"`
	// Port is the first of the ports of the loopback address under which a proxy on the host finds Synapse, MAS,
	// Element Web, LiveKit and lk-jwt-service. Default: 8008.
	Port int `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65531"`
	// Traefik 3 that runs already, or is to run in the stack.
	Traefik Traefik `yaml:"traefik,omitempty"`
	// Caddy 2 that runs already.
	Caddy Caddy `yaml:"caddy,omitempty"`
	// Nginx that runs already, also one of Nginx Proxy Manager.
	Nginx Nginx `yaml:"nginx,omitempty"`
	// Apex is what the stack answers on the server name's own host.
	Apex Apex `yaml:"apex,omitempty"`
}

// Traefik is the reverse proxy. What a component has is for a managed one.
type Traefik struct {
	Component `yaml:",inline"`
	// Managed runs Traefik in the stack, for who has none: on ports 80 and 443 of the host, with certificates of Let's Encrypt.
	// All else of Traefik is rendered then. Default: false.
	Managed bool `yaml:"managed,omitempty"`
	// Email is the address in whose name a managed Traefik asks for certificates.
	Email string `yaml:"email,omitempty" jsonschema:"pattern=^[^\\s@]+@[^\\s@]+$" form:"an address, such as anna@example.org"`
	// Network that Traefik and the stack share; it exists already. Default: traefik.
	Network string `yaml:"network,omitempty" jsonschema:"pattern=^[a-zA-Z0-9][a-zA-Z0-9_.-]*$" form:"a name of letters, digits, dots, dashes and underscores, such as traefik"`
	// Entrypoint for HTTPS. Default: websecure.
	Entrypoint string `yaml:"entrypoint,omitempty" jsonschema:"pattern=^[a-zA-Z0-9][a-zA-Z0-9_.-]*$" form:"a name of letters, digits, dots, dashes and underscores, such as websecure"`
	// FederationEntrypoint is one for other servers, such as that of port 8448: Synapse answers them there, too. Default: none.
	FederationEntrypoint string `yaml:"federation_entrypoint,omitempty" jsonschema:"pattern=^[a-zA-Z0-9][a-zA-Z0-9_.-]*$" form:"a name of letters, digits, dots, dashes and underscores, such as federation"`
	// RuleSyntax of the labels: v3 (default), or v2 for Traefik 2.
	RuleSyntax string `yaml:"rule_syntax,omitempty" jsonschema:"enum=v2,enum=v3"`
	// CertResolver that gets the certificates. Default: what the entrypoint says.
	CertResolver string `yaml:"cert_resolver,omitempty" jsonschema:"pattern=^[a-zA-Z0-9][a-zA-Z0-9_.-]*$" form:"a name of letters, digits, dots, dashes and underscores, such as letsencrypt"`
	// Middlewares of Traefik's own, such as hsts@file, for every request to Synapse and to MAS.
	Middlewares []string `yaml:"middlewares,omitempty" example:"hsts@file"`
}

// Caddy is the running reverse proxy.
type Caddy struct {
	// Network that a Caddy in a container and the stack share; it exists already. Default: none, Caddy runs on the host.
	Network string `yaml:"network,omitempty" jsonschema:"pattern=^[a-zA-Z0-9][a-zA-Z0-9_.-]*$" form:"a name of letters, digits, dots, dashes and underscores, such as caddy"`
	// Form: snippet (default) is a file that its Caddyfile imports, labels are for caddy-docker-proxy.
	Form string `yaml:"form,omitempty" jsonschema:"enum=snippet,enum=labels"`
}

// Nginx is the running reverse proxy.
type Nginx struct {
	// Network that an nginx in a container and the stack share; it exists already. Default: none, nginx runs on the host.
	Network string `yaml:"network,omitempty" jsonschema:"pattern=^[a-zA-Z0-9][a-zA-Z0-9_.-]*$" form:"a name of letters, digits, dots, dashes and underscores, such as proxy"`
}

// Apex is what the stack answers on the server name's own host.
type Apex struct {
	// Matrix sends /_matrix on the server name's host to the stack. Default: true.
	Matrix *bool `yaml:"matrix,omitempty"`
	// WellKnown: synapse serves /.well-known/matrix, or external when the site on that host does.
	WellKnown string `yaml:"well_known,omitempty" jsonschema:"enum=synapse,enum=external"`
}

// IngressKind is the kind of the proxy: traefik where the spec does not say.
func (s *Spec) IngressKind() string { return cmp.Or(s.Ingress.Kind, "traefik") }

// Managed reports whether Traefik runs in the stack.
func (s *Spec) Managed() bool { return s.Ingress.Traefik.Managed && s.IngressKind() == "traefik" }

// checkManaged tells a Traefik of the stack from one that runs already: what is said of the one is nothing to the other.
func (s *Spec) checkManaged(d *decoder) {
	at, t := s.At("ingress", "traefik"), s.Ingress.Traefik
	if d.unread([]string{"ingress", "traefik", "managed"}) {
		return
	}
	others, why, fix := []string{"email", "image", "version", "service", "container_name", "user", "networks", "limits", "extra"}, "is for a Traefik that runs in the stack; of one that runs already nothing is rendered", "managed: true, or remove the line"
	if t.Managed {
		others, why, fix = []string{"network", "entrypoint", "federation_entrypoint", "rule_syntax", "cert_resolver", "middlewares"}, "is what a Traefik that runs already calls something; one in the stack is rendered with names of its own", "remove the line"
	}
	for _, key := range others {
		if v := at.At(key); v.Set() {
			d.fail(v, v.Path()+" "+why, fix)
		}
	}
	if t.Managed && t.Email == "" && !d.unread([]string{"ingress", "traefik", "email"}) {
		d.fail(at.At("managed"), "ingress.traefik.email is missing; Traefik gets no certificate without an address in whose name it asks for one", "email: anna@"+s.ServerName)
	}
}

func (s *Spec) checkIngress(d *decoder) {
	s.checkManaged(d)
	for _, item := range s.At("ingress", "traefik", "middlewares").Items() {
		if !middleware().MatchString(item.Str()) {
			d.fail(item, item.Path()+" is no middleware with its provider behind an @; Traefik looks for a name without one among the labels of this stack", "hsts@file")
		}
	}
	kind := s.IngressKind()
	for _, other := range []string{"traefik", "caddy", "nginx"} {
		if at := s.At("ingress", other); at.Set() && other != kind && !d.unread([]string{"ingress", "kind"}) {
			d.fail(at, fmt.Sprintf("ingress.%s is for another proxy than ingress.kind, which is %s; it would be used for nothing", other, kind),
				"kind: "+other+", or remove the lines")
		}
	}
	caddy := s.At("ingress", "caddy")
	if s.Ingress.Caddy.Form == "labels" && s.Ingress.Caddy.Network == "" {
		d.fail(caddy.At("form"), "caddy-docker-proxy reads labels, but ingress.caddy names no network that it shares with the stack; it could reach nothing", "caddy: {network: caddy, form: labels}")
	}
	if at := s.At("ingress", "port"); at.Exists() && (kind == "traefik" || s.Ingress.Caddy.Network+s.Ingress.Nginx.Network != "") {
		d.fail(at, "ingress.port is for a proxy on the host, but the proxy of this stack is in a container and asks for its services by name; it would be used for nothing", "remove the line")
	}
	apex := s.Ingress.Apex
	if apex.Matrix != nil && !*apex.Matrix && apex.WellKnown != "external" && s.ServerName != s.MatrixHost() {
		d.fail(s.At("ingress", "apex", "matrix"),
			"ingress.apex.matrix is off, but Synapse's own /.well-known/matrix/server sends other servers to the apex; federation would be dead",
			"well_known: external, and serve the file that RUNBOOK.md shows")
	}
}
