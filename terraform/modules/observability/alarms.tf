# What somebody should hear of although nobody looks: failing jobs, and what grows where the bill does.

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = aws_kms_key.watch.arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsAndBudgetsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms.arn
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.emails)

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

# The add-on's Fluent Bit puts a line that is JSON under `log_processed`; ours are, wherever there is no terminal.
resource "aws_cloudwatch_log_metric_filter" "job_errors" {
  name           = "${var.name}-job-errors"
  log_group_name = aws_cloudwatch_log_group.this["pods"].name
  pattern        = "{ $.log_processed.level = \"error\" }"

  metric_transformation {
    name          = "JobErrors"
    namespace     = "JepaFoundry/${var.name}"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "job_errors" {
  alarm_name          = "${var.name}-job-errors"
  alarm_description   = "Jobs log errors; read them with: aws logs tail ${local.groups.pods} --filter-pattern '{ $.log_processed.level = \"error\" }'"
  namespace           = "JepaFoundry/${var.name}"
  metric_name         = "JobErrors"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "nat_traffic" {
  for_each = var.nat_gateways

  alarm_name          = "${var.name}-nat-traffic-${each.key}"
  alarm_description   = "Much passes through NAT, which is paid by the byte: does something read S3 or pull images past the gateway endpoint?"
  namespace           = "AWS/NATGateway"
  metric_name         = "BytesInFromDestination"
  dimensions          = { NatGatewayId = each.value }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.nat_gib_an_hour * 1073741824
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "store_size" {
  alarm_name          = "${var.name}-store-size"
  alarm_description   = "The store is larger than was planned; `jepa gc` shows what nothing refers to."
  namespace           = "AWS/S3"
  metric_name         = "BucketSizeBytes"
  dimensions          = { BucketName = var.bucket, StorageType = "StandardStorage" }
  statistic           = "Maximum"
  period              = 86400 # S3 says it once a day
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.bucket_gib * 1073741824
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}
