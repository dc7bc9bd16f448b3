package component

// Coturn relays calls between two networks that cannot reach each other.
const Coturn Program = "coturn"

var coturn = Component{
	Program: Coturn, Title: "coturn",
	Images:   []string{"coturn"},
	Tag:      TagForm{"", `[0-9]+\.[0-9]+\.[0-9]+(-r[0-9]+)?(-debian|-alpine)?`},
	Versions: Minors,
	Tested:   Ref{Repository: "docker.io/coturn/coturn", Tag: "4.18.0-r0"},
	Oldest:   Version{4, 7, 0}, OldestWhy: "what is older wants no-stun-backward-compatibility and others that 4.7 does not know any more",
	Container: &Container{
		User: "65534:65534", ReadsAsUser: true, // nobody:nogroup in docker/coturn/debian/Dockerfile
		Config: Config{File: "/etc/coturn/turnserver.conf", Flags: []string{"-c"}},
		// setcap CAP_NET_BIND_SERVICE=+ep in its Dockerfile: without the capability the kernel does not start the program.
		Sandbox: Sandbox{Caps: []string{"NET_BIND_SERVICE"}, Tmpfs: []string{"/var/tmp:size=1m," + asUser, "/var/lib/coturn:size=16m," + asUser}},
		Affects: "calls over the relay break off",
	},
	Port: 3478,
	Secrets: []Secret{
		{Name: "turn.shared_secret"},
	},
}
