// Package vneid is the domain: who a citizen is, how a login moves from its
// first request to a redeemed code, and every rule and number on the way.
//
// Read it first. It talks to the rest of the program through three small
// interfaces that others implement: [Store] (what is remembered), [Hasher]
// (slow hashes of passwords) and [SMSGateway] (messages to a phone). Time and
// randomness come from [Clock] and [Rand].
//
// It never speaks HTTP, SQL or HTML, and it never imports anything but the
// standard library and golang.org/x/text/unicode/norm.
package vneid
