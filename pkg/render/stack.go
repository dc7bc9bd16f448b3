// Package render turns a Spec and its secrets into the files of a stack: Resolve makes the Stack, the
// templates make the Bundle.
package render

import (
	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/manifests"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
)

// Stack is everything that templates see. All of it is resolved: there are no defaults left to apply, and
// a value that two files share is one field here, so it cannot differ between them.
type Stack struct {
	SpecName   string // base name of the spec, for the header of each file
	Name       string // Compose project
	ServerName string
	MatrixHost string
	// Apex: the server name's host differs from the Matrix host and sends /_matrix to Synapse.
	Apex bool
	// WellKnown: Synapse serves /.well-known/matrix on the server name's host.
	WellKnown bool
	// Dir is the directory on the host that the stack is deployed to, for the backup.
	Dir string
	// Small: what is cached and what is told is held down for a small machine.
	Small bool
	// NeedsRoot: the files belong to several users, so that only root can hand them out.
	NeedsRoot bool

	// Kubernetes is what a cluster is told; nil where Compose runs the stack.
	Kubernetes *manifests.Options
	// ESS is what the chart of Element Server Suite is told; nil where Synapse and MAS are rendered.
	ESS *ESS

	Ingress      Ingress
	Traefik      Traefik
	Synapse      Synapse
	Workers      *Workers // nil where Synapse is one process
	Login        Login
	MAS          *MAS // nil where Synapse logs users in itself
	Email        *Email
	Postgres     Postgres
	Databases    []Database
	Bridges      []Bridge
	Containers   []Container // of appservices that are no bridges, and of plain services
	DoublePuppet Registration
	Element      *Element
	Calls        *Calls
	Turn         *Turn
	Admin        *Admin
	// Metrics is where Synapse tells how it fares; 0 where nobody is told.
	Metrics   int
	Backup    *Backup
	Migration bool // syn2mas is still to run
	Secrets   []SecretFile
	// Files are those of the spec's owner, read: those of compose.files are copied as they are, in those of containers words in
	// braces are filled in.
	Files []Copy
	// Services are those that are rendered, by what they do: the name of the program, or of its job; a container is called by its own.
	Services map[string]Service
}

// Service is what Compose needs to know about a service besides its own section.
type Service struct {
	Name      string // in the compose file
	Container string // its container's name; empty for what Compose makes up
	Image     component.Ref
	User      string // uid:gid of its process, and of the files it reads
	// ConfigHash stands for the digest of exactly the files that the service reads at its start: Render puts it in
	// the place of this text once the files are there.
	ConfigHash string
	Secrets    []string // names of the Compose secrets it is handed
	component.Sandbox
	Writable     bool     // its root file system is no read-only one
	Memory, CPUs string   // what it may use at most; empty for all there is
	Networks     []Joined // of others
}

// Copy is a file of the spec's owner that is copied into the stack. At is the entry of the spec.
type Copy struct {
	Path string
	Data []byte
	At   source.Value
}

// SecretFile is a file below secrets/ that Compose hands to one service under /run/secrets.
type SecretFile struct {
	Name    string
	Service string
	Content string
}

// Ingress is how requests from outside reach the stack.
type Ingress struct {
	Kind    string           // as in the spec
	Title   string           // as the kind is called
	Network string           // that the proxy and the stack share; empty for a proxy on the host, and for one of the stack
	Managed bool             // Traefik is one of the stack
	Labels  bool             // Caddy goes by labels
	Ports   map[Endpoint]int // of the loopback address; empty for a proxy in a container
}

// Traefik is what Traefik calls what it serves the stack with.
type Traefik struct {
	Entrypoint, CertResolver string
	// Federation is an entrypoint for other servers alone; V2: rules are in the words of Traefik 2.
	Federation  string
	V2          bool
	Middlewares []string // of others, on the routers of Synapse and MAS
	Email       string   // in whose name one of the stack asks for certificates
}

// Synapse is the homeserver.
type Synapse struct {
	Host          string // on the stack's own network
	Address       string // http://service:port, as the other services reach it: that of HAProxy where there are workers
	Port          int
	MaxUploadSize string
	Media         struct{ Local, Remote string }
	MaxLifetime   string
	URLPreview    bool
	TURN          []string
	Features      []string // experimental_features that are on
	WellKnown     []Entry  // what /.well-known/matrix/client has besides
	Registrations []string // names of their files
	DB            Database
	OldKeys       []secret.OldKey
	// Transports: the version tells clients where LiveKit is.
	Transports bool
	Data       Data
}

// Email is the SMTP server that Synapse and MAS send through.
type Email struct {
	Host, Mode, User, Password string // Mode as MAS calls it
	From, HeaderFrom           string // HeaderFrom is From as it stands in a message, which is ASCII alone
	Port                       int
}

// MAS is the Matrix Authentication Service.
type MAS struct {
	Host string // the public one
	// InternalHost is the one on the stack's own network.
	InternalHost string
	Path         string // without trailing slash; empty when MAS has a host of its own
	PublicBase   string // ends in a slash
	Addresses    string // what MAS advertises by: its public_base, and its issuer where that is another one
	Port         int
	HealthPort   int
	Address      string
	// Bcrypt: the passwords of users who came from Synapse are, or will be, among MAS's.
	Bcrypt bool
	// PasswordFile: the version knows database.password_file (MAS 1.22.0).
	PasswordFile bool
	TokenKey     string // by which the version asks for a registration token
	DB           Database
}

// Login is how users log in, at MAS or at Synapse itself.
type Login struct {
	Passwords    bool
	Pepper       string // of the passwords that Synapse has hashed; empty when they have none
	Registration string // closed, token or open-with-email
	Captcha      *Captcha
	Upstreams    []Upstream
}

// Captcha tells people from programs.
type Captcha struct{ Service, SiteKey, SecretKey string }

// Upstream is an OpenID Connect provider.
type Upstream struct {
	Name, ID, Issuer, ClientID, HumanName, Scope, SynapseIDP string
	OnConflict                                               string // MAS's word for what becomes of an existing user of that name; empty for its default
	Link                                                     bool   // such a user may log in
	Keycloak                                                 bool
	ClientFile                                               string // path of the client to import into Keycloak
	RedirectURI, LogoutURI                                   string
	ClientSecret, SecretFile                                 string // SecretFile is the name of the Compose secret that holds it
}

// Postgres is the database server.
type Postgres struct {
	Host          string // on the stack's own network, or elsewhere
	Port          int
	External      bool   // it runs elsewhere, and nothing of it is rendered
	SSLMode       string // that of an external one, for all programs
	Gateway       bool   // containers call it by the name of the host that they run on
	Superuser     string // the role that the cluster was made with
	ContainerName string // as `docker exec` takes it
	DataPath      string // where this major keeps its data
	Data          Data
	Settings      []Setting
	Memory        string // that the settings are made for, in the largest unit; empty for PostgreSQL's own
	ShmSize       string // of /dev/shm for them; empty for that of its image
}

// Setting is one of PostgreSQL; Why is empty for one of the spec.
type Setting struct{ Name, Value, Why string }

// Data is where a program keeps what it writes.
type Data struct {
	Source string // as a mount in the compose file has it
	// Below is the path below the output directory, empty for what lies elsewhere; Path that on the host, empty for a volume.
	Below, Path string
	// Volume is what the compose file calls a volume, and DockerVolume its name to Docker.
	Volume, DockerVolume string
	External             bool
}

// Database is the database of a program, and the role that it logs in as.
type Database struct {
	Program    component.Program
	Name, User string
	Password   string
	// Secret is the name of the Compose secret from which db-init gives the role its password; empty for the superuser,
	// and for a role that another database has before.
	Secret string
	URI    string
	Pool   Pool
}

// Permission is one entry of a bridge's permissions, in the words of its dialect.
type Permission struct{ Who, Level string }

// Bridge is one mautrix bridge.
type Bridge struct {
	Name, Title, Note     string // Note is a clause on logging in
	Program               component.Program
	Dialect               component.Dialect
	HomeserverAddress     string
	Host                  string // on the stack's own network
	Address               string
	Port                  int
	Bot, DisplayName      string
	Avatar, CommandPrefix string
	Before, After         string // of the id in the localpart of every ghost
	Permissions           []Permission
	Encryption            struct{ Allow, Require bool }
	Command               []string
	PickleKey             string
	Provisioning          string
	PublicMediaKey        string
	DirectMediaKey        string
	AvatarProxyKey        string
	APIID, APIHash        string
	Relay                 bool   // somebody may only speak through another's login
	BotToken              string // of Telegram's relay bot, for the Python bridge
	Registration          Registration
	DB                    Database
}

// Registration is an appservice registration, the one source of both of its copies.
type Registration struct {
	ID, URL, ASToken, HSToken, Sender string
	Users, Aliases, Rooms             []Namespace
	RateLimited                       bool
	Ephemeral                         bool // it is sent what people type and read
	MSC4190                           bool
	Proxy                             string // what Synapse hands requests for tokens on to
	MSC3202                           bool   // it is sent what it needs to decrypt
}

// Namespace is a set of user ids or aliases that an appservice claims.
type Namespace struct {
	Regex     string
	Exclusive bool
}

// Element is Element Web.
type Element struct {
	Host string // the public one
	Port int
}

// ESS is what the chart runs besides Synapse and MAS, by the public host of each; "" where it is not to.
type ESS struct{ ElementHost, RTCHost string }

// Entry is a key with its value in YAML, in one line.
type Entry struct{ Key, Value string }

// Calls are LiveKit and lk-jwt-service.
type Calls struct {
	Host             string // the public one
	NodeIP           string // empty where LiveKit finds it out
	TCPPort, UDPPort int    // of the host and of the container
	Port, TokenPort  int    // on which LiveKit and lk-jwt-service are asked
	Key, Secret      string // of LiveKit's API
	// URL is LiveKit for clients, and ServiceURL lk-jwt-service.
	URL, ServiceURL string
	// Webhook is where LiveKit tells who left a call; empty where lk-jwt-service has nothing for that.
	Webhook string
	// Registration: Synapse hands requests for tokens on to lk-jwt-service. nil where either is too old for that.
	Registration *Registration
	Environment  []Entry // of lk-jwt-service
}

// Turn is coturn.
type Turn struct {
	Host    string
	Options []Option
	// Port is asked over TCP and UDP; what is relayed comes on MinPort to MaxPort over UDP.
	Port, MinPort, MaxPort int
	// Detects: the image's own command finds out the address of the host.
	Detects bool
}

// Option is one line of turnserver.conf; Value is empty where it stands alone.
type Option struct{ Name, Value string }

// Admin is the page for administrators.
type Admin struct {
	Host  string // the public one
	Port  int
	Allow []string // networks that reach it, and the admin APIs
}

// Backup is a borgmatic configuration.
type Backup struct {
	Sources        []string // besides the stack's directory
	Media          string   // where Synapse's data are, outside of the stack's directory and of Sources
	Written        []string // by containers, outside of all of these
	Excluded       string   // pattern for what PostgreSQL keeps in its directory; empty where it is in none of them
	Passphrase     string   // of the repositories
	PassphraseFile string   // below the stack's directory
	Repositories   []struct{ Path, Label string }
	Hourly         int
	Daily          int
	Weekly         int
	Monthly        int
	PushURL        string
}
