package main

import (
	"fmt"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/route"
)

// unreadLines tells why there may be routers that were not tried.
func unreadLines(dir string, d *deployment.Deployment, table *route.Table, mask *finding.Mask) []string {
	var lines []string
	for _, u := range d.Unread {
		lines = append(lines, output.Clean(mask.Text(fmt.Sprintf("not looked at: %s: %s", posIn(dir, u), u.Note))))
	}
	if len(table.Routers) == 0 {
		lines = append(lines, "no service has labels for Traefik, and no file was found in which it has routers")
	}
	return lines
}
