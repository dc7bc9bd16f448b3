// Package spec loads stack.yaml: the types of the spec, a strict reader that names every problem with its
// place, and the JSON Schema made from the types.
package spec

import (
	"reflect"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Spec is a whole stack.yaml, as written: nothing is defaulted here, render.Resolve does that.
type Spec struct {
	// Version of the spec format: 1.
	Version int `yaml:"version" jsonschema:"required,enum=1" example:"1"`
	// Name of the Compose project. Default: matrix.
	Name string `yaml:"name,omitempty" jsonschema:"pattern=^[a-z0-9][a-z0-9_-]*$" form:"a word of lower-case letters, digits, dashes and underscores, such as matrix"`
	// ServerName is what follows the colon in @user:example.org. It can never change.
	ServerName string `yaml:"server_name" jsonschema:"required" example:"example.org"`
	// Owner runs every container as this uid:gid and gives it every file, so that no root is needed.
	Owner string `yaml:"owner,omitempty" jsonschema:"pattern=^[0-9]+:[0-9]+$" form:"a uid and a gid in quotes, such as \"1000:1000\""`
	// Target is what runs the stack: compose (default), Docker Compose on one machine, or kubernetes, a cluster.
	Target string `yaml:"target,omitempty" jsonschema:"enum=compose,enum=kubernetes"`
	// Kubernetes is what the cluster has and calls something, with target kubernetes.
	Kubernetes Kubernetes `yaml:"kubernetes,omitempty"`
	// Profile: small is for a machine with 1G to 2G of memory, such as a Raspberry Pi: less is cached, and nobody sees who is
	// online. Default: what each program takes by itself.
	Profile string `yaml:"profile,omitempty" jsonschema:"enum=small"`
	// Hosts are the public host names.
	Hosts Hosts `yaml:"hosts,omitempty"`
	// Auth is how users log in: at the Matrix Authentication Service, or with auth: synapse at Synapse itself.
	Auth Auth `yaml:"auth" jsonschema:"required" example:"{passwords: true}"`
	// Synapse is the homeserver.
	Synapse Synapse `yaml:"synapse,omitempty"`
	// Email is the SMTP server for Synapse's notifications and MAS's verification and recovery of accounts.
	Email Email `yaml:"email,omitempty"`
	// Ingress is how requests from outside reach the stack.
	Ingress Ingress `yaml:"ingress,omitempty"`
	// Database is PostgreSQL.
	Database Database `yaml:"database,omitempty"`
	// Element is Element Web, the client in a browser, on a host of its own. Default: none.
	Element Element `yaml:"element,omitempty"`
	// Calls of Element and others over MatrixRTC: LiveKit, and lk-jwt-service, which hands out tokens for it. Default: none.
	Calls Calls `yaml:"calls,omitempty"`
	// Turn is coturn, a relay for calls of clients that know no MatrixRTC. Default: none.
	Turn Coturn `yaml:"turn,omitempty"`
	// Admin is a page for administrators (ketesa), on a host of its own, and the routes that it needs. Default: none.
	Admin Admin `yaml:"admin,omitempty"`
	// HAProxy stands before the processes of Synapse where there are workers.
	HAProxy Pinned `yaml:"haproxy,omitempty"`
	// Valkey is what the processes of Synapse speak to each other by, and what a container has with redis.
	Valkey Pinned `yaml:"valkey,omitempty"`
	// Metrics has Synapse and MAS tell a Prometheus how they fare, in a network that is for that alone. Default: false.
	Metrics bool `yaml:"metrics,omitempty"`
	// Bridges to render, by name.
	Bridges map[string]Bridge `yaml:"bridges,omitempty"`
	// Appservices are others than the bridges, by a name of your choice: the registration, and the service that runs it.
	Appservices map[string]Appservice `yaml:"appservices,omitempty"`
	// Services are more containers, by a name of your choice.
	Services map[string]Container `yaml:"services,omitempty"`
	// Permissions of all bridges: a server name, a user id or * with block, relay, user or admin.
	Permissions map[string]Permission `yaml:"permissions,omitempty"`
	// Backup with borgmatic.
	Backup Backup `yaml:"backup,omitempty"`
	// Secrets says where secret values come from, besides secrets.yaml and the environment.
	Secrets Secrets `yaml:"secrets,omitempty"`
	// Compose is laid onto the rendered docker-compose.yml.
	Compose Compose `yaml:"compose,omitempty"`

	file *source.File
}

// At is the place of a value in the spec's file, for findings and for what is laid onto rendered files.
func (s *Spec) At(path ...string) source.Value { return s.file.At(path...) }

// File is the parsed file that the spec was loaded from.
func (s *Spec) File() *source.File { return s.file }

// Hosts are the public host names.
type Hosts struct {
	// Matrix is the host of the client and federation API. Default: matrix.<server_name>.
	Matrix string `yaml:"matrix,omitempty"`
	// Element is the host of Element Web, which nothing else may share. Default: element.<server_name>.
	Element string `yaml:"element,omitempty"`
	// RTC is the host under which clients ask for calls. Default: rtc.<server_name>.
	RTC string `yaml:"rtc,omitempty"`
	// Turn is the host of the relay, which leads to this machine and to no proxy. Default: turn.<server_name>.
	Turn string `yaml:"turn,omitempty"`
	// Admin is the host of the page for administrators. Default: admin.<server_name>.
	Admin string `yaml:"admin,omitempty"`
}

// Auth is how users log in. In a spec the word synapse stands for {kind: synapse, passwords: true}.
type Auth struct {
	Component `yaml:",inline"`
	// Kind: mas (default), the Matrix Authentication Service, or synapse, where Synapse logs users in itself. What
	// both have is called alike, so that the move to MAS is this line and auth.migration.
	Kind string `yaml:"kind,omitempty" jsonschema:"enum=mas,enum=synapse"`
	// PublicURL is the https URL of MAS: below a path of the Matrix host, or on a host of its own.
	// Default: https://<hosts.matrix>/auth/.
	PublicURL string `yaml:"public_url,omitempty"`
	// Passwords lets users log in with a password that MAS keeps, or Synapse.
	Passwords bool `yaml:"passwords,omitempty"`
	// Registration is who may make an account with a password: closed (default), nobody; token, who was given a
	// registration token; open-with-email, everybody who has an address.
	Registration string `yaml:"registration,omitempty" jsonschema:"enum=closed,enum=token,enum=open-with-email"`
	// Captcha is a riddle for whoever makes an account with a password. Default: none.
	Captcha Captcha `yaml:"captcha,omitempty"`
	// Migration prepares syn2mas: the bcrypt scheme, a one-shot service, and the commands in RUNBOOK.md.
	Migration bool `yaml:"migration,omitempty"`
	// Migrated takes the place of migration once syn2mas has run, and stays: the passwords that came from
	// Synapse can be checked only as long as MAS has the bcrypt scheme.
	Migrated bool `yaml:"migrated,omitempty"`
	// Pepper says that Synapse has password_config.pepper, or had it before the move to MAS: the secret auth.pepper.
	Pepper bool `yaml:"pepper,omitempty"`
	// Upstream are the OpenID Connect providers that users log in with, by a name of your choice.
	Upstream map[string]Upstream `yaml:"upstream,omitempty"`
}

// Upstream is one OpenID Connect provider, such as a Keycloak realm.
type Upstream struct {
	// Issuer exactly as in the provider's discovery document; Keycloak: https://HOST/realms/REALM.
	Issuer string `yaml:"issuer" jsonschema:"required" example:"https://sso.example.org/realms/main"`
	// ClientID of the client that the provider keeps for MAS, or Synapse.
	ClientID string `yaml:"client_id" jsonschema:"required,pattern=^[!-~]+( [!-~]+)*$" form:"the id as the provider writes it, on one line, such as matrix" example:"matrix"`
	// HumanName is what the login page shows. Default: the provider's name in the spec.
	HumanName string `yaml:"human_name,omitempty"`
	// ExistingUsers: link lets an existing user of that name log in through the provider, relink also one
	// who has another account there already, fail shows an error. Default: fail, or link with auth.migration
	// and auth.migrated.
	ExistingUsers string `yaml:"existing_users,omitempty" jsonschema:"enum=link,enum=relink,enum=fail"`
	// SynapseIDP is what Synapse calls the provider, oidc-<idp_id>, such as oidc-keycloak, or oidc without an idp_id:
	// each user's link to it is kept under this name, which syn2mas looks for. Default: oidc-<name> with kind synapse
	// and with auth.migration.
	SynapseIDP string `yaml:"synapse_idp_id,omitempty" jsonschema:"pattern=^[A-Za-z0-9._~-]+$" form:"a word of letters, digits and any of . _ ~ -, such as oidc-keycloak"`
	// Scope to ask for. Default: openid profile email.
	Scope string `yaml:"scope,omitempty" jsonschema:"pattern=^[!#-\\[\\]-~]+( [!#-\\[\\]-~]+)*$" form:"words with one blank between them, such as openid profile email"`
}

// Component is what every program of the stack has.
type Component struct {
	// Image without the tag, for a mirror or a build of your own.
	Image string `yaml:"image,omitempty"`
	// Version is the image's tag.
	Version string `yaml:"version,omitempty"`
	// Service is the name of its service in the compose file. Default: the program's own, such as synapse.
	Service string `yaml:"service,omitempty" jsonschema:"pattern=^[a-zA-Z0-9][a-zA-Z0-9_.-]*$" form:"a name of letters, digits, dots, dashes and underscores, such as matrix-synapse"`
	// ContainerName is the name of its container. Default: what Compose makes up.
	ContainerName string `yaml:"container_name,omitempty" jsonschema:"pattern=^[a-zA-Z0-9][a-zA-Z0-9_.-]+$" form:"a name of letters, digits, dots, dashes and underscores, such as matrix-db"`
	// User is the uid:gid that it runs as. Default: owner, or the image's own.
	User string `yaml:"user,omitempty" jsonschema:"pattern=^[0-9]+:[0-9]+$" form:"a uid and a gid in quotes, such as \"1000:1000\""`
	// Networks of Docker that it is in besides those of the stack. They exist already.
	Networks []Network `yaml:"networks,omitempty"`
	// Limits of what its container may use. Default: all there is.
	Limits Limits `yaml:"limits,omitempty"`
	// Extra is laid onto the rendered configuration: mappings are merged, +key appends to a list, -key removes,
	// everything else is replaced.
	Extra Extra `yaml:"extra,omitempty"`
}

// Limits of what a container may use.
type Limits struct {
	// Memory in megabytes or gigabytes, such as 4G. What wants more is ended and started again.
	Memory string `yaml:"memory,omitempty" jsonschema:"pattern=^[1-9][0-9]*[MG]$" form:"a number with M or G, such as 4G"`
	// CPUs, such as 2 or 0.5.
	CPUs string `yaml:"cpus,omitempty" jsonschema:"oneof_type=string;number,pattern=^([1-9][0-9]*([.][0-9]+)?|0[.][0-9]*[1-9][0-9]*)$" form:"a number of processors, such as 0.5"`
}

// Extra is a mapping that is laid onto a rendered file as it stands.
type Extra map[string]any

// Synapse is the homeserver.
type Synapse struct {
	Component `yaml:",inline"`
	// Data is where media are. Default: ./data/matrix.
	Data Data `yaml:"data,omitempty"`
	// MaxUploadSize, such as 50M. Default: 50M.
	MaxUploadSize string `yaml:"max_upload_size,omitempty" jsonschema:"pattern=^[1-9][0-9]*[KMG]?$" form:"a number of bytes that may end in K, M or G, such as 50M"`
	// MediaRetention is how long media is kept since it was last looked at. Default: for ever.
	MediaRetention MediaRetention `yaml:"media_retention,omitempty"`
	// Retention is how long messages are kept. Default: for ever.
	Retention Retention `yaml:"retention,omitempty"`
	// URLPreview lets Synapse fetch linked pages. Private addresses are never fetched.
	URLPreview bool `yaml:"url_preview,omitempty"`
	// TURN server for calls.
	TURN TURN `yaml:"turn,omitempty"`
	// Workers are processes besides the main one: small, one-of-each, or how many of each kind. Default: none.
	Workers Workers `yaml:"workers,omitempty" example:"small"`
	// Registrations are files of further appservices, relative to the spec: Synapse reads a copy of each as it is.
	Registrations []string `yaml:"registrations,omitempty" example:"registrations/hookshot.yaml"`
	// WellKnownExtra is added to /.well-known/matrix/client.
	WellKnownExtra Extra `yaml:"well_known_extra,omitempty"`
}

// MediaRetention is how long media is kept.
type MediaRetention struct {
	// Local media, such as 365d.
	Local string `yaml:"local,omitempty" jsonschema:"pattern=^[1-9][0-9]*[smhdwy]$" form:"a number with the unit s, m, h, d, w or y, such as 365d"`
	// Remote media, such as 30d. It is fetched again when someone looks at it.
	Remote string `yaml:"remote,omitempty" jsonschema:"pattern=^[1-9][0-9]*[smhdwy]$" form:"a number with the unit s, m, h, d, w or y, such as 365d"`
}

// Retention is how long messages are kept.
type Retention struct {
	// MaxLifetime of messages in rooms without a policy of their own, such as 365d.
	MaxLifetime string `yaml:"max_lifetime,omitempty" jsonschema:"pattern=^[1-9][0-9]*[smhdwy]$" form:"a number with the unit s, m, h, d, w or y, such as 365d"`
}

// Email is the SMTP server that Synapse and MAS send through.
type Email struct {
	// Host of the SMTP server.
	Host string `yaml:"host" jsonschema:"required,pattern=^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$" form:"the name of a server without a port, such as smtp.example.org" example:"smtp.example.org"`
	// Port of the SMTP server. Default: 587, with mode tls 465, with mode plain 25.
	Port int `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// Mode of the connection: starttls (default), tls (default with port 465), or plain, for a relay that
	// stands beside the stack.
	Mode string `yaml:"mode,omitempty" jsonschema:"enum=tls,enum=starttls,enum=plain"`
	// User to log in with; the password is the secret email.password.
	User string `yaml:"user,omitempty" jsonschema:"pattern=^[^\\x00-\\x1f\\x7f-\\x9f]+$" form:"a name on one line, such as matrix@example.org"`
	// From is the sender's address, such as Matrix <matrix@example.org>. Answers go there, too.
	From string `yaml:"from" jsonschema:"required" example:"matrix@example.org"`
}

// TURN is a TURN server with a shared secret (the secret synapse.turn_shared_secret).
type TURN struct {
	// URIs such as turn:turn.example.org?transport=udp.
	URIs []string `yaml:"uris,omitempty"`
}

// Element is Element Web.
type Element struct {
	Component `yaml:",inline"`
}

// Admin is the page for administrators, and who reaches it.
type Admin struct {
	Component `yaml:",inline"`
	// AllowFrom are the networks from which the page and the admin APIs of Synapse and MAS are reached, such as
	// 192.168.0.0/16. Required: for everybody else they are not there.
	AllowFrom []string `yaml:"allow_from,omitempty" example:"192.168.0.0/16"`
}

// Permission is what a user may do with a bridge.
type Permission string

// Secrets says where secret values come from.
type Secrets struct {
	// Command prints all secrets as YAML, such as [sops, -d, secrets.enc.yaml].
	Command []string `yaml:"command,omitempty"`
	// Store takes on stdin all secrets as YAML, for Command to print from then on, such as
	// [sops, encrypt, --filename-override, secrets.enc.yaml, --output, secrets.enc.yaml, /dev/stdin].
	Store []string `yaml:"store,omitempty"`
	// From names a source for single secrets.
	From map[string]SecretFrom `yaml:"from,omitempty"`
}

// SecretFrom is the source of one secret: a file or a command, not both.
type SecretFrom struct {
	// File that holds the value, relative to the spec.
	File string `yaml:"file,omitempty"`
	// Command that prints the value, such as [pass, show, matrix/telegram].
	Command []string `yaml:"command,omitempty"`
}

// Compose is laid onto the rendered docker-compose.yml.
type Compose struct {
	// Files are copied into the output directory: a path there, and the file to copy, relative to the spec.
	Files map[string]string `yaml:"files,omitempty"`
	// Extra is laid onto docker-compose.yml: mappings are merged, +key appends to a list, -key removes,
	// everything else is replaced.
	Extra Extra `yaml:"extra,omitempty"`
}

// BridgeNames gives the names that a spec may use below bridges, in the order of component.All.
func BridgeNames() []string {
	var names []string
	for c := range component.Bridges() {
		names = append(names, string(c.Program))
	}
	return names
}

// Section is where a spec speaks of a program.
func Section(p component.Program) []string {
	switch p {
	case component.MAS:
		return []string{"auth"}
	case component.Postgres:
		return []string{"database"}
	case component.Borgmatic:
		return []string{"backup", "borgmatic"}
	case component.Traefik:
		return []string{"ingress", "traefik"}
	case component.LiveKit:
		return []string{"calls", "livekit"}
	case component.LkJwt:
		return []string{"calls", "jwt"}
	case component.Coturn:
		return []string{"turn"}
	case component.Ketesa:
		return []string{"admin"}
	}
	if component.Of(p).Bridge != nil {
		return []string{"bridges", string(p)}
	}
	return []string{string(p)}
}

// Component is what a spec says of a program that it renders a container for; on is false where it renders none. A
// program has a container where the spec has its Section: Synapse and PostgreSQL always have theirs, MAS unless auth.kind
// is synapse.
func (s *Spec) Component(p component.Program) (c Component, on bool) {
	path := Section(p)
	if p == component.Traefik {
		return s.Ingress.Traefik.Component, s.Managed()
	}
	if path[0] == "bridges" {
		b, ok := s.Bridges[path[1]]
		return b.Component, ok
	}
	if path[0] == "calls" {
		c = s.Calls.LiveKit.Component
		if p == component.LkJwt {
			c = s.Calls.JWT.Component
		}
		return c, s.At("calls").Exists()
	}
	f, ok := fieldsOf(reflect.TypeFor[Spec]())[path[0]]
	if !ok {
		return c, false
	}
	section, ok := reflect.TypeAssert[interface{ component() Component }](reflect.ValueOf(s).Elem().FieldByIndex(f.Index))
	if !ok {
		return c, false
	}
	switch p {
	case component.MAS:
		return section.component(), s.MAS()
	case component.Synapse:
		return section.component(), true
	case component.Postgres:
		return section.component(), !s.ExternalDatabase()
	}
	return section.component(), s.At(path...).Exists()
}

func (c Component) component() Component { return c }

// Small reports whether the stack is for a small machine.
func (s *Spec) Small() bool { return s.Profile == "small" }
