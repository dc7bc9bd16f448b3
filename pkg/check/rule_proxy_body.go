package check

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
)

var proxyTakesUploads = Rule{
	ID: "proxy-takes-uploads", Severity: finding.Warning,
	Summary: "nginx or Caddy takes files as large as Synapse does",
	Why:     "Pictures and videos above a size are refused with 413, \"Request Entity Too Large\". nginx takes 1 MB where nobody says more, Caddy any size where nobody says less.",
	Fix:     "Write client_max_body_size with Synapse's max_upload_size at the location that leads to Synapse; for Caddy remove request_body.",
	Source:  "nginx src/http/ngx_http_core_module.c; Caddy modules/caddyhttp/requestbody; Synapse docs/reverse_proxy.md, config/repository.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			max := s.Config.At("max_upload_size")
			limit, text := int64(50<<20), "50M" // Synapse's own
			if max.Set() {
				limit, text = sizeOf(max.Str()), max.Str()
			}
			host := s.MatrixHost() // where clients send files to
			res := d.Routes().Match("POST", host, "/_matrix/media/v3/upload")
			p := res.Passes
			if p == nil || limit == 0 || p.Body == 0 || p.Body >= limit || res.Backend == nil || !s.Is(res.Backend.Container) || p.Default && !ownNginx(d.Front()) {
				continue
			}
			unless := ""
			if p.Default && d.Front().Service == nil {
				unless = ", unless its nginx.conf says more"
			}
			takes, fix := fmt.Sprintf("%d kB", p.Body>>10), fmt.Sprintf("client_max_body_size %dm;", (limit+1<<20-1)>>20)
			if p.Body < 1<<10 {
				takes = fmt.Sprintf("%d bytes", p.Body)
			}
			if d.Front().Name != "nginx" {
				fix = fmt.Sprintf("max_size %dMiB", (limit+1<<20-1)>>20)
			}
			r.Warn(fmt.Sprintf("%s takes %s of a file at most for %s%s, and Synapse %s; larger ones are refused with 413", d.Front().Name, takes, host, unless, text), fix, p.BodyAt, max.Site("Synapse's bound"))
		}
	},
}

// ownNginx reports whether an nginx has the settings that stand in its files, and none of an image that brings others along, such
// as that of Nginx Proxy Manager.
func ownNginx(front *deployment.Front) bool {
	return front.Name == "nginx" && (front.Service == nil || slices.Contains([]string{"nginx", "nginx-unprivileged"}, path.Base(front.Service.Image.Repository)))
}

// sizeOf is a number of bytes as Synapse reads it; 0 where it is none.
func sizeOf(text string) int64 {
	unit := int64(1)
	if number, ok := strings.CutSuffix(text, "K"); ok {
		text, unit = number, 1<<10
	} else if number, ok := strings.CutSuffix(text, "M"); ok {
		text, unit = number, 1<<20
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0
	}
	return n * unit
}

var proxyConfigRead = Rule{
	ID: "proxy-config-read", Severity: finding.Warning,
	Summary: "what was rendered for a Caddy or nginx can be read to its end",
	Why:     "Caddy and nginx refuse a configuration with one line that they do not take as a whole: a reload leaves the old routes, a restart none. And what is not read here is not checked.",
	Fix:     "Render the file anew, and put what is added to it into a file of its own.",
	Source:  "Caddy caddyconfig/httpcaddyfile; nginx src/core/ngx_conf_file.c",
	Check: func(d *deployment.Deployment, r *Reporter) {
		front := d.Front()
		if front.Service != nil || len(front.Unread) == 0 {
			return
		}
		if front.Unread[0].File == "" { // labels, which its own file and other stacks complete
			r.NotChecked(front.Name+" cannot be followed: "+front.Unseen, front.Unread...)
		} else {
			r.Fail(fmt.Sprintf("%s cannot be followed: %s; it may refuse the whole file, and no route of it was checked", front.Name, front.Unseen), "the file as it was rendered", front.Unread...)
		}
	},
}
