mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name               = "jepa-test"
  dollars_a_month    = 600
  topic_arn          = "arn:aws:sns:us-east-1:111122223333:alarms"
  emails             = ["platform@example.org"]
  stopped_roles      = ["jepa-test-autoscaler"]
  stop_automatically = true
}

run "budget" {
  assert {
    condition     = aws_budgets_budget.month.limit_amount == "600" && aws_budgets_budget.month.limit_unit == "USD" && aws_budgets_budget.month.time_unit == "MONTHLY"
    error_message = "a month may cost another sum than was said"
  }

  assert {
    condition     = one(one(aws_budgets_budget.month.cost_filter).values) == "user:Environment$jepa-test"
    error_message = "the budget counts what another environment costs"
  }

  assert {
    condition = { for notice in aws_budgets_budget.month.notification : "${notice.notification_type} ${notice.threshold}" => one(notice.subscriber_sns_topic_arns) } == {
      for key in ["ACTUAL 50", "ACTUAL 80", "ACTUAL 100", "FORECASTED 100"] : key => var.topic_arn
    }
    error_message = "somebody would hear too late that the money goes"
  }

  assert {
    condition = (
      one(one(aws_budgets_budget_action.no_growth.definition).iam_action_definition).policy_arn == aws_iam_policy.no_growth.arn &&
      one(one(aws_budgets_budget_action.no_growth.definition).iam_action_definition).roles == toset(["jepa-test-autoscaler"])
    )
    error_message = "a spent budget does not stop the autoscaler"
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_policy.no_growth.policy).Statement :
      statement.Effect == "Deny" && contains(statement.Action, "autoscaling:SetDesiredCapacity") && !contains(statement.Action, "autoscaling:TerminateInstanceInAutoScalingGroup")
    ])
    error_message = "a spent budget does not stop growth, or keeps the cluster from shrinking"
  }

  assert {
    condition     = aws_budgets_budget_action.no_growth.approval_model == "AUTOMATIC"
    error_message = "growth is not stopped without asking although it was said so"
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.action.policy).Statement :
      statement.Resource == ["arn:aws:iam::111122223333:role/jepa-test-autoscaler"] && statement.Condition.ArnEquals["iam:PolicyARN"] == aws_iam_policy.no_growth.arn
    ])
    error_message = "the budget's own role may attach other policies, or to other roles"
  }
}

run "a_person_approves" {
  variables {
    stop_automatically = false
  }

  assert {
    condition     = aws_budgets_budget_action.no_growth.approval_model == "MANUAL"
    error_message = "growth is stopped without asking although somebody wanted to approve it"
  }
}

run "refused" {
  command = plan

  variables {
    name            = "Jepa"
    dollars_a_month = 5
    topic_arn       = "alarms"
    emails          = []
    stopped_roles   = []
  }

  expect_failures = [var.name, var.dollars_a_month, var.topic_arn, var.emails, var.stopped_roles]
}
