//go:build !slow

package simplex

// integerProblems is how many random problems are compared with the exact twin.
const integerProblems = 1500

// cutProblems is how many problems' cuts are compared with exact arithmetic.
const cutProblems = 600
