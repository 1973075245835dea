// Package linking examines how a relying party joins the person whom VNeID
// sends to the accounts it has of its own: the scenarios of section J of the
// catalogue of faults, played over HTTP.
//
// It talks to the relying party as browsers do, by the forms that a file names
// ([File]), and to the automation API of the sandbox, which makes the people,
// signs them in and arms the faults. It never looks into the relying party: a
// verdict rests on what stands on pages, and says so. What cannot be told from
// outside is INCONCLUSIVE, with the reason.
//
// How a scenario sees a wrong link: every local account has marks, texts that
// stand only on its own pages. A person who comes from VNeID and was not asked
// for that account's password must not see them.
package linking
