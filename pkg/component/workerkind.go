package component

// WorkerKind is a kind of process that Synapse may have besides the main one.
type WorkerKind struct {
	// Name is what a spec calls it.
	Name string
	// Does says what it takes off the main process, in a clause.
	Does string
	// Groups are those of WorkerGroups that it answers, and Reads those of which it answers what only reads: the rest is for the
	// writer of the stream.
	Groups, Reads []string
	// Streams are those that it writes.
	Streams []string
	// Instances and Instance are the setting that gives work to processes of this kind: to all of them, or to the first.
	Instances, Instance string
	// Resources are what its listener serves besides its health.
	Resources []string
	// Single says why there can be one alone; "" where there can be more.
	Single string
	// Sharded: each does a share of the work that goes by their number, so that all processes have to know the same one.
	Sharded bool
}

const (
	oneWriter = "its stream has one writer"
	oneDoes   = "one process alone may do this work"
)

// WorkerKinds are all kinds. Of those that a stack has, the first one that answers a group gets it. Synapse 1.163.2
// config/workers.py, docs/workers.md.
var WorkerKinds = []WorkerKind{
	{Name: "sync", Does: "clients that wait for what is new", Groups: []string{"sync", "sliding-sync"}, Resources: []string{"client"}},
	{Name: "client", Does: "the other requests of clients", Groups: []string{"device-lists", "sync", "sliding-sync", "encryption", "login", "messages", "event-sending", "client"}, Reads: []string{"account-data", "presence", "push-rules", "thread-subscriptions"}, Resources: []string{"client"}},
	{Name: "federation_inbound", Does: "what other servers send", Groups: []string{"federation-inbound"}, Resources: []string{"federation"}},
	{Name: "federation_reader", Does: "the requests of other servers", Groups: []string{"federation-inbound", "federation"}, Resources: []string{"federation"}},
	{Name: "generic", Does: "the requests of clients and of other servers", Groups: []string{"device-lists", "sync", "sliding-sync", "encryption", "login", "messages", "event-sending", "client", "federation-inbound", "federation"}, Reads: []string{"account-data", "presence", "push-rules", "thread-subscriptions"}, Resources: []string{"client", "federation"}},
	{Name: "media", Does: "media", Groups: []string{"quarantine", "media"}, Streams: []string{"quarantined_media_changes"}, Instance: "media_instance_running_background_jobs", Resources: []string{"media"}},
	{Name: "federation_sender", Does: "what other servers are sent", Instances: "federation_sender_instances", Sharded: true},
	{Name: "pusher", Does: "notifications of phones", Instances: "pusher_instances", Sharded: true},
	{Name: "appservice", Does: "what bridges and other appservices are sent", Instance: "notify_appservices_from_worker", Single: oneDoes},
	{Name: "user_dir", Does: "the user directory", Instance: "update_user_directory_from_worker", Single: oneDoes},
	{Name: "background", Does: "tidying up", Instance: "run_background_tasks_on", Single: oneDoes},
	{Name: "event_persister", Does: "writing events", Streams: []string{"events"}, Sharded: true},
	{Name: "typing", Does: "who is typing", Groups: []string{"typing"}, Streams: []string{"typing"}, Resources: []string{"client"}, Single: oneWriter},
	{Name: "to_device", Does: "messages from device to device", Groups: []string{"to-device"}, Streams: []string{"to_device"}, Resources: []string{"client"}, Single: oneWriter},
	{Name: "account_data", Does: "what clients keep of a user", Groups: []string{"account-data"}, Streams: []string{"account_data"}, Resources: []string{"client"}, Single: oneWriter},
	{Name: "receipts", Does: "who has read what", Groups: []string{"receipts"}, Streams: []string{"receipts"}, Resources: []string{"client"}},
	{Name: "presence", Does: "who is online", Groups: []string{"presence"}, Streams: []string{"presence"}, Resources: []string{"client"}, Single: oneWriter},
	{Name: "push_rules", Does: "what users want to be notified of", Groups: []string{"push-rules"}, Streams: []string{"push_rules"}, Resources: []string{"client"}, Single: oneWriter},
	{Name: "device_lists", Does: "devices and their keys", Groups: []string{"device-lists"}, Streams: []string{"device_lists"}, Resources: []string{"client"}},
	{Name: "thread_subscriptions", Does: "which threads users follow", Groups: []string{"thread-subscriptions"}, Streams: []string{"thread_subscriptions"}, Resources: []string{"client"}},
}

// WorkerSets are the sets that have a name: how many processes of each kind.
func WorkerSets() map[string]map[string]int {
	return map[string]map[string]int{
		"small": {"sync": 1, "generic": 1, "media": 1, "federation_sender": 1},
		"one-of-each": {
			"sync": 1, "client": 1, "federation_reader": 1, "federation_sender": 1, "media": 1, "pusher": 1, "appservice": 1, "user_dir": 1, "background": 1,
			"event_persister": 1, "typing": 1, "to_device": 1, "account_data": 1, "receipts": 1, "presence": 1, "push_rules": 1, "device_lists": 1,
		},
	}
}
