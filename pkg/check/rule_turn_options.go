package check

import (
	"fmt"
	"strings"

	"philipp.info/stackgen/pkg/coturn"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
)

var turnKnownOptions = Rule{
	ID: "turn-known-options", Severity: finding.Warning,
	Summary: "coturn knows every option in turnserver.conf",
	Why:     "coturn writes \"Bad configuration format\" into its log, passes over the line and takes its default: a realm, a secret or a range that was closed is none.",
	Fix:     "Write NAME=VALUE, with the name as turnserver --help has it.",
	Source:  "coturn 4.17.1 src/apps/relay/mainrelay.c parse_arg_string, long_options; turnserver -h of 4.6.1",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, t := range d.TurnServers() {
			for _, o := range t.Settings {
				if o.Site.File == d.File || coturn.Known(o.Name) || len(o.Name) < 2 || deferred(o.Name) {
					continue // what stands on the command line is told by coturn itself
				}
				fix := "remove the line"
				if bare := strings.TrimRight(o.Name, ":"); coturn.Known(bare) {
					fix = bare + "=" + o.Value
				} else if near := finding.Nearest(o.Name, coturn.Names()); near != "" {
					fix = strings.TrimSuffix(near+"="+o.Value, "=")
				}
				if strings.Contains(fix, "secret") || strings.Contains(fix, "password") {
					fix, _, _ = strings.Cut(fix, "=")
					fix += "=…"
				}
				r.Fail(fmt.Sprintf("coturn knows no option %s, and passes over the line", o.Name), fix, o.Site)
			}
		}
	},
}
