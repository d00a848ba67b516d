mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name         = "jepa-test"
  emails       = ["platform@example.org"]
  bucket       = "jepa-test"
  bucket_gib   = 100
  nat_gateways = { "us-east-1a" = "nat-0" }
}

run "observability" {
  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.this : group.retention_in_days == 365 && group.kms_key_id == aws_kms_key.watch.arn])
    error_message = "a log group is kept for ever, or is not encrypted by our key"
  }

  assert {
    condition     = aws_cloudwatch_log_group.this["control_plane"].name == "/aws/eks/jepa-test/cluster" && aws_cloudwatch_log_group.this["pods"].name == "/aws/containerinsights/jepa-test/application"
    error_message = "EKS or its CloudWatch add-on would make a log group of its own"
  }

  assert {
    condition = alltrue([for alarm in concat([aws_cloudwatch_metric_alarm.job_errors, aws_cloudwatch_metric_alarm.store_size], values(aws_cloudwatch_metric_alarm.nat_traffic)) :
      alarm.alarm_actions == toset([aws_sns_topic.alarms.arn])
    ])
    error_message = "an alarm goes off where nobody hears it"
  }

  assert {
    condition     = aws_sns_topic_subscription.email["platform@example.org"].protocol == "email"
    error_message = "an address is not told"
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.job_errors.metric_name == aws_cloudwatch_log_metric_filter.job_errors.metric_transformation[0].name &&
      aws_cloudwatch_metric_alarm.job_errors.namespace == aws_cloudwatch_log_metric_filter.job_errors.metric_transformation[0].namespace
    )
    error_message = "the alarm on errors watches another metric than the filter makes"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.store_size.threshold == 100 * 1024 * 1024 * 1024
    error_message = "the store's size is compared in another unit than GiB"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.nat_traffic["us-east-1a"].dimensions["NatGatewayId"] == "nat-0"
    error_message = "a NAT gateway's traffic is not watched"
  }

  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == aws_kms_key.watch.arn
    error_message = "alarms are not encrypted by our key"
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_sns_topic_policy.alarms.policy).Statement :
      statement.Condition.StringEquals["aws:SourceAccount"] == "111122223333"
    ])
    error_message = "another account may publish alarms"
  }
}

run "refused" {
  command = plan

  variables {
    name            = "Jepa"
    retention_days  = 3
    emails          = ["nobody"]
    bucket_gib      = 0
    nat_gib_an_hour = 0
  }

  expect_failures = [var.name, var.retention_days, var.emails, var.bucket_gib, var.nat_gib_an_hour]
}
