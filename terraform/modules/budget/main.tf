# What a month may cost, and what happens when it does. The action takes from the cluster autoscaler the right to add
# nodes, not the right to remove them: what runs goes on to its next checkpoint or end, and then the cluster shrinks.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  account_arn = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}"
  # Percent of the budget, by what is compared with it.
  notices = {
    half     = { percent = 50, type = "ACTUAL" }
    most     = { percent = 80, type = "ACTUAL" }
    spent    = { percent = 100, type = "ACTUAL" }
    expected = { percent = 100, type = "FORECASTED" }
  }
}

resource "aws_budgets_budget" "month" {
  name         = "${var.name}-month"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.dollars_a_month)
  limit_unit   = "USD"

  cost_filter {
    name = "TagKeyValue"
    # Not "…$${var.name}": that is how a string says ${ itself.
    values = [format("user:Environment$%s", var.name)]
  }

  dynamic "notification" {
    for_each = local.notices

    content {
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value.percent
      threshold_type            = "PERCENTAGE"
      notification_type         = notification.value.type
      subscriber_sns_topic_arns = [var.topic_arn]
    }
  }
}

resource "aws_iam_policy" "no_growth" {
  name        = "${var.name}-no-growth"
  description = "Attached by the budget ${var.name}-month when it is spent: no new nodes."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "NoNewNodes"
      Effect   = "Deny"
      Action   = ["autoscaling:SetDesiredCapacity", "autoscaling:UpdateAutoScalingGroup", "ec2:RunInstances"]
      Resource = "*"
    }]
  })
}

resource "aws_iam_role" "action" {
  name = "${var.name}-budget-action"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "budgets.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "action" {
  name = "attach"
  role = aws_iam_role.action.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["iam:AttachRolePolicy", "iam:DetachRolePolicy"]
      Resource  = [for role in var.stopped_roles : "${local.account_arn}:role/${role}"]
      Condition = { ArnEquals = { "iam:PolicyARN" = aws_iam_policy.no_growth.arn } }
    }]
  })
}

resource "aws_budgets_budget_action" "no_growth" {
  budget_name        = aws_budgets_budget.month.name
  action_type        = "APPLY_IAM_POLICY"
  approval_model     = var.stop_automatically ? "AUTOMATIC" : "MANUAL"
  notification_type  = "ACTUAL"
  execution_role_arn = aws_iam_role.action.arn

  action_threshold {
    action_threshold_type  = "PERCENTAGE"
    action_threshold_value = 100
  }

  definition {
    iam_action_definition {
      policy_arn = aws_iam_policy.no_growth.arn
      roles      = var.stopped_roles
    }
  }

  dynamic "subscriber" {
    for_each = toset(var.emails)

    content {
      subscription_type = "EMAIL"
      address           = subscriber.value
    }
  }
}
