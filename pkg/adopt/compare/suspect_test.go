package compare

import (
	"testing"

	"philipp.info/stackgen/pkg/deployment"
)

// Synapse has no file for support, but a proxy may: who looks for help finds none where it is gone.
func TestSupportFile(t *testing.T) {
	c := &comparison{old: &side{Deployment: &deployment.Deployment{}}, routed: true}
	k := id{theStack, "requests", "GET example.org/.well-known/matrix/support"}
	for old, want := range map[string]Kind{"synapse": Same, "the proxy itself: a file": Decision, "service website at port 80": Decision} {
		if got := c.judge(k, fact{shown: old}, fact{shown: nobody}, onBoth).kind; got != want {
			t.Errorf("%s answered it, nobody does: %v", old, got)
		}
	}
}

// Typing, receipts and presence reach an appservice where its registration asks for them, under either name.
func TestEphemeralIsGranted(t *testing.T) {
	is := fact{text: "true", shown: "true"}
	reg := func(key string) id { return id{"synapse", "registration telegram", key} }
	for old, want := range map[string]Kind{"receive_ephemeral": Same, "rate_limited": Decision} {
		c := &comparison{old: &side{facts: map[id]fact{reg(old): is}}}
		if got := c.judge(reg(pushEphemeral), fact{}, is, onOurs).kind; got != want {
			t.Errorf("beside %s it is %v", old, got)
		}
	}
}

// A login that nobody answered and MAS answers from then on is more than an address of MAS.
func TestLoginIsAnswered(t *testing.T) {
	c := &comparison{old: &side{Deployment: &deployment.Deployment{}}, routed: true}
	k := id{theStack, "requests", "POST example.org/_matrix/client/v3/login"}
	if got := c.judge(k, fact{shown: nobody}, fact{shown: "mas"}, onBoth).kind; got != Decision {
		t.Errorf("it is %v", got)
	}
}
