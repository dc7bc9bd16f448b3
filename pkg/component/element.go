package component

// Element is Element Web, the client in a browser.
const Element Program = "element"

var element = Component{
	Program: Element, Title: "Element Web",
	Images:   []string{"element-web", "vectorim/riot-web"}, // the second while it was Riot: others' riot-web reads other files
	Tag:      TagForm{"v", `[0-9]+\.[0-9]+\.[0-9]+(-rc\.[0-9]+)?`},
	Versions: Minors,
	Tested:   Ref{Repository: "ghcr.io/element-hq/element-web", Tag: "v1.12.30"},
	Oldest:   Version{1, 12, 28}, OldestWhy: "what is older has a hole through which a message can run code in the browser (GHSA-wqmv-r2qj-2j9p)",
	Container: &Container{
		User: "101:101", ReadsAsUser: true, // nginx-unprivileged's nginx
		Config:  Config{File: "/app/config.json"},
		Affects: "whoever has it open in a browser",
		// Its entrypoint writes nginx's configuration from a template, and copies config.json below /tmp, once at its start.
		Sandbox: Sandbox{Tmpfs: []string{"/tmp:size=64m," + asUser, "/etc/nginx/conf.d:size=1m," + asUser}},
	},
	Port: 8080,
}
