// Package compare holds two deployments against each other by meaning: service by service, key by key, request by
// request. What is not in its list does not change.
package compare

import (
	"cmp"
	"slices"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Kind is what a difference asks of a person.
type Kind string

// The kinds, the one to look at first at the front. What is equal is counted.
const (
	Decision Kind = "needs your decision" // it works in another way from then on
	Lost     Kind = "cannot be expressed" // the spec has no words for it
	Safer    Kind = "ours is safer"
	Same     Kind = "same effect" // it is written in another way, or nobody can notice
)

// Kinds are all of them in the order in which they are shown.
var Kinds = []Kind{Decision, Lost, Safer, Same}

// Difference is one thing that the two deployments do not have in common.
type Difference struct {
	Kind Kind
	// About is whom it concerns: a program such as synapse or bridge signal, a service, or the stack.
	About string
	// Doc is what says it: config, service, registration ID, requests and so on; Key is what in it, as a dotted path.
	Doc, Key string
	// Old and New are what each side has, "" where it has nothing, and for a secret.
	Old, New string
	Secret   bool
	// Also are the keys of others for which the same is true: requests of one host, labels of one service.
	Also []string
	// Why says for a decision what will happen, and for the others why it is of that kind.
	Why string
	// Keep is what to write in stack.yaml to have it as it was; "" where nothing is to be done, or can be.
	Keep string
	// OldAt and NewAt are the places on both sides; the nearest one that there is where a side has nothing.
	OldAt, NewAt source.Pos

	cause string // the same for differences that one answer settles
	all   string // Keep, where it is several that are kept
}

// Result is what a comparison found.
type Result struct {
	Differences []Difference
	// Equal is how many settings, files and requests both have in common.
	Equal int
	// Unseen says what could not be compared, because one side does not show it.
	Unseen []string
}

// Needs reports whether there is a difference that somebody has to look at: a decision, or what cannot be expressed.
func (r *Result) Needs() bool {
	return slices.ContainsFunc(r.Differences, func(d Difference) bool { return d.Kind == Decision || d.Kind == Lost })
}

// Count is how many there are of the kind: of what somebody has to look at the causes, for one answer settles all that has
// one, and of the rest the differences.
func (r *Result) Count(k Kind) (n int) {
	if k == Decision || k == Lost {
		return len(grouped(r, k))
	}
	for _, d := range r.Differences {
		if d.Kind == k {
			n++
		}
	}
	return n
}

// Deployments compares what runs now with what is to take its place. None of the texts of the result holds a secret.
func Deployments(old, ours *deployment.Deployment) *Result {
	c := &comparison{old: &side{Deployment: old, of: make(map[*deployment.Service]string)}, ours: &side{Deployment: ours, ours: true, of: make(map[*deployment.Service]string)}}
	c.pair()
	for _, s := range []*side{c.old, c.ours} {
		s.facts = make(map[id]fact)
		s.read()
	}
	c.respell()
	c.requests()
	c.compare()
	c.hide(old.Mask(), ours.Mask())
	c.sort()
	return &c.Result
}

// comparison is the work on two deployments.
type comparison struct {
	Result
	old, ours *side
	order     []string                     // whom the facts are about, in the order of the old services
	routed    bool                         // both proxies were asked
	defaults  map[string][]map[string]fact // by whom they are about
}

// hide takes the secrets of both sides out of every text.
func (c *comparison) hide(masks ...*finding.Mask) {
	for i := range c.Differences {
		d := &c.Differences[i]
		for _, text := range []*string{&d.About, &d.Doc, &d.Key, &d.Old, &d.New, &d.Why, &d.Keep} {
			for _, m := range masks {
				*text = m.Text(*text)
			}
		}
		for j := range d.Also {
			for _, m := range masks {
				d.Also[j] = m.Text(d.Also[j])
			}
		}
	}
	for i := range c.Unseen {
		for _, m := range masks {
			c.Unseen[i] = m.Text(c.Unseen[i])
		}
	}
}

func (c *comparison) sort() {
	rank := func(about string) int { return slices.Index(c.order, about) }
	slices.SortStableFunc(c.Differences, func(a, b Difference) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Kinds, a.Kind), slices.Index(Kinds, b.Kind)),
			cmp.Compare(rank(a.About), rank(b.About)), cmp.Compare(a.Doc, b.Doc), cmp.Compare(a.Key, b.Key),
		)
	})
}
