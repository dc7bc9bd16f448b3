// Command proxy stands in for the Traefik container: it answers HTTPS for the names in its certificate and
// sends each request where the Traefik labels of the compose file send it.
package main

import (
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/route"
)

func main() {
	log.SetFlags(0)
	d, findings := compose.Open(os.DirFS("/stack"))
	if d.File == "" {
		log.Fatal(findings)
	}
	table := d.Routes()
	for _, s := range d.Services { // another proxy behind this one does its own work
		table.Behind(s.Name, nil)
	}
	for _, p := range table.Problems {
		log.Printf("labels: %s", p.Message)
	}
	log.Printf("routing by %d routers", len(table.Routers))
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(d, table, w, r) })
	log.Fatal(http.ListenAndServeTLS(":443", "/tls/tls.crt", "/tls/tls.key", handler))
}

func serve(d *deployment.Deployment, table *route.Table, w http.ResponseWriter, r *http.Request) {
	res := table.Match(r.Method, r.Host, r.URL.RequestURI())
	switch {
	case res.Unknown != "" || res.Tie != nil:
		http.Error(w, "the labels do not tell: "+res.Unknown, http.StatusInternalServerError)
	case res.Redirect != "":
		http.Redirect(w, r, res.Redirect, http.StatusFound)
	case res.Refused != "":
		http.Error(w, res.Refused, http.StatusForbidden)
	case res.Router == nil:
		http.Error(w, "404 page not found", http.StatusNotFound)
	case res.Backend == nil:
		http.Error(w, "no available server", http.StatusServiceUnavailable)
	default:
		network := deployment.LabelOf(d.Service(res.Backend.Container).Labels, "traefik.docker.network").Value
		forward(res, network, w, r)
	}
}

// forward asks the container through the network that its label names, as Traefik does.
func forward(res route.Result, network string, w http.ResponseWriter, r *http.Request) {
	rp := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetXForwarded()
			p.Out.Host = p.In.Host
			p.Out.URL.Scheme = "http"
			p.Out.URL.Host = net.JoinHostPort(res.Backend.Container+"."+network, res.Backend.Port)
			p.Out.URL.RawPath = res.Path
			if path, err := url.PathUnescape(res.Path); err == nil {
				p.Out.URL.Path = path
			}
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			log.Print(err)
			http.Error(w, "Bad Gateway", http.StatusBadGateway)
		},
	}
	rp.ServeHTTP(w, r)
}
