package deployment

import (
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Mask hides whatever is secret in the files of the deployment that were read. It has no list of secrets to
// go by: names, shapes and places tell them.
func (d *Deployment) Mask() *finding.Mask {
	read := d.read()
	d.masking.Lock()
	defer d.masking.Unlock()
	if d.mask == nil || d.masked != len(read) { // no file is forgotten, so that their number tells
		d.mask, d.masked = d.gathered(read), len(read)
	}
	return d.mask
}

// gathered is the mask of all secrets, with those of the files that were read.
func (d *Deployment) gathered(read []*source.File) *finding.Mask {
	m := &finding.Mask{}
	hidden, open := d.Secrecy()
	m.Open(open...)
	m.Public(d.publicHosts()...)
	for _, f := range read {
		found, open := f.Hidden()
		hidden = append(hidden, found...)
		m.Open(open...)
	}
	for _, h := range d.Secrets() {
		hidden = append(hidden, source.Hidden{Value: h.Value})
	}
	for _, h := range hidden {
		m.HideBehind(h.Lead, h.Value)
	}
	for _, h := range hidden {
		m.Hide(h.Value)
	}
	return m
}

// publicHosts are those that people and other servers are told: of the homeservers, of MAS, and of every routing rule.
func (d *Deployment) publicHosts() (hosts []string) {
	for _, s := range d.Synapses {
		hosts = append(hosts, s.Hosts()...)
	}
	for _, m := range d.MASs {
		if u, _, ok := Endpoint(m.Config.At("http", "public_base").Str()); ok {
			hosts = append(hosts, u.Hostname())
		}
	}
	for _, r := range d.Routes().Routers {
		hosts = append(hosts, r.Hosts()...)
	}
	return hosts
}

// Hide gives the findings without the secrets of the deployment. Where there is none to hide them in, none is looked for.
func (d *Deployment) Hide(findings []finding.Finding) []finding.Finding {
	if len(findings) == 0 {
		return findings
	}
	return d.Mask().Findings(d.heldBy(findings))
}
