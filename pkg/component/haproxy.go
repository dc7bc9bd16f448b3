package component

// HAProxy leads requests to the processes of a Synapse with workers.
const HAProxy Program = "haproxy"

var haproxy = Component{
	Program: HAProxy, Title: "HAProxy",
	Images:   []string{"haproxy"},
	Versions: Minors,
	Tested:   Ref{Repository: "docker.io/library/haproxy", Tag: "3.4-alpine"},
	Oldest:   Version{2, 6, 0}, OldestWhy: "balance hash exists since HAProxy 2.6",
	Container: &Container{
		User:    "99:99", // docker-library/haproxy, Dockerfile-alpine.template
		Config:  Config{File: "/usr/local/etc/haproxy/haproxy.cfg", Flags: []string{"-f"}},
		Affects: "all users and bridges",
	},
	Port: 8008,
}
