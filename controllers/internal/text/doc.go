// Package text shortens and joins texts for messages.
package text
