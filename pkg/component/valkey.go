package component

// Valkey keeps what a service wants of Redis. Each service that asks for one has its own.
const Valkey Program = "valkey"

var valkey = Component{
	Program: Valkey, Title: "Valkey",
	Images:   []string{"valkey/valkey", "valkey"},
	Versions: Minors,
	Tested:   Ref{Repository: "docker.io/valkey/valkey", Tag: "8.1"},
	Oldest:   Version{7, 2, 0}, OldestWhy: "there is no older Valkey",
	Container: &Container{
		User: "999:999", AlpineUser: "999:1000", // valkey-container, Dockerfile.template
		Affects: "the service whose it is",
	},
	Port: 6379,
}
