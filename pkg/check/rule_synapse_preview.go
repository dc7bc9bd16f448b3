package check

import (
	"net/netip"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// privateRanges are those that a link must not lead Synapse into.
var privateRanges = []string{"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "::1/128", "fe80::/10", "fc00::/7"}

var synapseURLPreview = Rule{
	ID: "synapse-url-preview", Severity: finding.Error,
	Summary: "previews of links come with a list of the private addresses that Synapse must not fetch",
	Why:     "Synapse does not start: \"For security, you must specify an explicit target IP address blacklist in url_preview_ip_range_blacklist for url previewing to work\". With a list that has gaps anybody who posts a link makes Synapse ask MAS, the database or the router at home.",
	Fix:     "Write url_preview_ip_range_blacklist with the private ranges, or turn previews off.",
	Source:  "Synapse config/repository.py, config/server.py (DEFAULT_IP_RANGE_BLOCKLIST)",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			on, list := s.Config.At("url_preview_enabled"), s.Config.At("url_preview_ip_range_blacklist")
			if !on.True() || s.Proxied() {
				continue
			}
			if !list.Exists() {
				if s.Partial() {
					r.NotChecked("url_preview_ip_range_blacklist may stand in another of Synapse's configuration files", on.Site(""))
					continue
				}
				r.FailMend("previews of links are on without url_preview_ip_range_blacklist; Synapse does not start",
					set(list, `["`+strings.Join(privateRanges, `", "`)+`"]`), on.Site(""))
				continue
			}
			var missing []string
			for _, private := range privateRanges {
				if !blocked(list, netip.MustParsePrefix(private)) {
					missing = append(missing, private)
				}
			}
			if len(missing) > 0 {
				r.Warn("url_preview_ip_range_blacklist lets Synapse fetch from "+strings.Join(missing, ", ")+"; anybody who posts a link can ask what listens there",
					`- "`+missing[0]+`"`, list.Site(""), on.Site("previews are on"))
			}
		}
	},
}

func blocked(list source.Value, private netip.Prefix) bool {
	return slices.ContainsFunc(list.Items(), func(v source.Value) bool {
		p, err := netip.ParsePrefix(v.Str())
		return err == nil && p.Bits() <= private.Bits() && p.Contains(private.Addr())
	})
}
