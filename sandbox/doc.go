// Package sandbox is the pretend world around the provider, and the only place
// where the program is put together: [Start] opens the store, fills it with
// people, builds the provider, and listens.
//
// Read start.go first, then guard.go (who may call) and config.go (what can be
// set). Its subpackages are the parts of the world: people, sms, api; and
// localca, the certificates of --tls auto. The provider never learns that its
// phones are fake: it sees a vneid.SMSGateway.
package sandbox
