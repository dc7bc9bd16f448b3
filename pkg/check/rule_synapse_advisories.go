package check

import (
	"fmt"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// advisoriesRead is the day of the newest release in the change log that the table below was read from.
const advisoriesRead = "2026-10-23"

// advisory is one that was published for a program: the release that fixes it, the first of an older branch that
// does, too, and the first that has the fault where that is known.
type advisory struct {
	id                   string
	high                 bool
	fixed, branch, since component.Version
}

// advisories are those of Synapse itself, from 1.93 on; those of what its image is built with are not among them.
var advisories = []advisory{
	{id: "GHSA-fp53-rw9v-hcf9", high: true, fixed: component.Version{1, 157, 2}},
	{id: "GHSA-rgv2-84w7-5j9p", high: true, fixed: component.Version{1, 157, 2}},
	{id: "GHSA-27p5-4f45-gx76", high: true, fixed: component.Version{1, 157, 2}},
	{id: "GHSA-95fh-hv8c-chvq", high: true, fixed: component.Version{1, 157, 2}},
	{id: "GHSA-cjh7-rcpx-xpf8", high: true, fixed: component.Version{1, 157, 2}},
	{id: "GHSA-6wjm-9p2x-gvpm", high: true, fixed: component.Version{1, 157, 2}},
	{id: "GHSA-qcjr-46gf-7f4r", fixed: component.Version{1, 157, 2}},
	{id: "GHSA-r66v-qhwx-8rg4", fixed: component.Version{1, 157, 2}},
	{id: "GHSA-jhcg-5392-5mjw", fixed: component.Version{1, 157, 2}},
	{id: "GHSA-vh4c-pqh4-w3wq", fixed: component.Version{1, 157, 2}},
	{id: "GHSA-hgcg-p9gx-fq5f", fixed: component.Version{1, 157, 2}},
	{id: "GHSA-8q93-326v-3m7g", fixed: component.Version{1, 152, 1}},
	{id: "GHSA-6qf2-7x63-mm6v", fixed: component.Version{1, 152, 1}},
	{id: "GHSA-fh66-fcv5-jjfr", fixed: component.Version{1, 139, 1}, branch: component.Version{1, 138, 3}},
	{id: "CVE-2025-49090", fixed: component.Version{1, 135, 2}},
	{id: "GHSA-v56r-hwv5-mxg6", high: true, fixed: component.Version{1, 127, 1}},
	{id: "GHSA-rfq8-j7rh-8hf2", fixed: component.Version{1, 120, 1}},
	{id: "GHSA-f3r3-h2mq-hx2h", fixed: component.Version{1, 120, 1}},
	{id: "GHSA-vp6v-whfm-rv3g", fixed: component.Version{1, 120, 1}},
	{id: "GHSA-56w4-5538-8v8h", fixed: component.Version{1, 120, 1}, since: component.Version{1, 113, 0}},
	{id: "GHSA-3h7q-rfh9-xm4v", high: true, fixed: component.Version{1, 105, 1}},
	{id: "GHSA-mp92-3jfm-3575", fixed: component.Version{1, 95, 1}},
	{id: "GHSA-5chr-wjw5-3gq4", fixed: component.Version{1, 94, 0}},
	{id: "GHSA-4f74-84v3-j9q5", fixed: component.Version{1, 93, 0}},
	{id: "GHSA-7565-cq32-vx2x", fixed: component.Version{1, 93, 0}},
}

// affects reports whether a release has the fault.
func (a advisory) affects(v component.Version) bool {
	patched := a.branch != component.Version{} && v[0] == a.branch[0] && v[1] == a.branch[1] && !v.Less(a.branch)
	return v.Less(a.fixed) && !v.Less(a.since) && !patched
}

var synapseKnownVulnerabilities = Rule{
	ID: "synapse-known-vulnerabilities", Severity: finding.Warning,
	Summary: "no vulnerability of Synapse is published that the tagged release has",
	Why:     "Whoever may send events to the server, over federation or as a user of it, can read the advisory as well. Some of them were used before they were published.",
	Fix:     "Take the release that the message names, or a later one; Synapse's docs/upgrade.md says what changes on the way.",
	Source:  "Synapse CHANGES.md up to 1.163.2 (" + advisoriesRead + "): the advisories of Synapse itself from 1.93 on, not those of what its image is built with",
	Check: func(d *deployment.Deployment, r *Reporter) {
		services := make(map[string][]*deployment.Service)
		var images []component.Ref
		for _, s := range d.Services {
			if s.Program != component.Synapse {
				continue
			}
			if services[s.Image.String()] == nil {
				images = append(images, s.Image)
			}
			services[s.Image.String()] = append(services[s.Image.String()], s)
		}
		for _, ref := range images {
			if v, ok := ref.Version(); ok {
				warnOfAdvisories(r, ref, v, services[ref.String()])
			}
		}
	},
}

func warnOfAdvisories(r *Reporter, ref component.Ref, v component.Version, services []*deployment.Service) {
	holes := holesOf(advisories, v)
	if len(holes) == 0 {
		return
	}
	var sites []source.Site
	for _, s := range services {
		sites = append(sites, s.ImageAt.Site(""))
	}
	fixed := fixedBy(holes)
	better := newer(ref, fixed)
	// Within a minor release nothing else changes; before another one somebody has to read what it demands.
	patch := v[0] == fixed[0] && v[1] == fixed[1] && strings.Contains(ref.Tag, v.String())
	if patch {
		better.Tag = strings.Replace(ref.Tag, v.String(), fixed.String(), 1)
	}
	fix := mend{services[0].ImageLine(better), func() []source.Edit {
		var all [][]source.Edit
		for _, s := range services {
			all = append(all, s.ImageAt.BecomeText(better.String()))
		}
		return together(all...)
	}}
	if s := services[0]; !patch && !s.Build.Set() && !s.OwnImage() && !s.Mirrored() { // which tags there are of somebody else's, nobody knows here
		fix.text = "a tag of " + ref.Repository + " that holds Synapse " + fixed.String() + " or a later one"
	}
	r.FailMend(published("Synapse "+ref.Tag, holes, " on "+advisoriesRead), unless(!patch || ref.Digest != "" || services[0].Build.Set(), fix), sites...)
}

// holesOf are the advisories that a release is affected by.
func holesOf(all []advisory, v component.Version) (holes []advisory) {
	for _, a := range all {
		if a.affects(v) {
			holes = append(holes, a)
		}
	}
	return holes
}

// fixedBy is the first release that has none of the holes.
func fixedBy(holes []advisory) (fixed component.Version) {
	for _, a := range holes {
		if fixed.Less(a.fixed) {
			fixed = a.fixed
		}
	}
	return fixed
}

// published says what is known of a release: how much, the release that fixes it, and the first few names, the high ones in front.
// read is the day on which that was known, with what leads to it.
func published(release string, holes []advisory, read string) string {
	var high, others []string
	for _, a := range holes {
		if a.high {
			high = append(high, a.id)
		} else {
			others = append(others, a.id)
		}
	}
	count := "a published vulnerability"
	if len(holes) > 1 {
		count = fmt.Sprintf("%d published vulnerabilities", len(holes))
	}
	if len(high) > 0 {
		count += fmt.Sprintf(", %d of them high", len(high))
	}
	return fmt.Sprintf("%s has %s; %s fixes what is known%s: %s", release, count, fixedBy(holes), read, finding.Sentence(deployment.AtMost(append(high, others...), 3), "and"))
}
