output "budget" {
  description = "Name of the month's budget."
  value       = aws_budgets_budget.month.name
}
