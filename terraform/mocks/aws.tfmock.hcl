# What a mocked AWS answers in the tests: an account, and for what is made an ARN that the provider takes for one.

mock_data "aws_caller_identity" {
  defaults = { account_id = "111122223333" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_region" {
  defaults = { name = "us-east-1" }
}

mock_data "aws_default_tags" {
  defaults = { tags = { Project = "jepa-foundry", Environment = "test" } }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555", key_id = "11111111-2222-3333-4444-555555555555" }
}

mock_resource "aws_iam_policy" {
  defaults = { arn = "arn:aws:iam::111122223333:policy/test" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::111122223333:role/test" }
}

mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::test" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:us-east-1:111122223333:log-group:test" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:us-east-1:111122223333:test" }
}

mock_resource "aws_eks_cluster" {
  defaults = {
    arn        = "arn:aws:eks:us-east-1:111122223333:cluster/test"
    vpc_config = { cluster_security_group_id = "sg-cluster" }
  }
}

mock_resource "aws_launch_template" {
  defaults = { id = "lt-00000000000000000", latest_version = 1 }
}

mock_resource "aws_ecr_repository" {
  defaults = { repository_url = "111122223333.dkr.ecr.us-east-1.amazonaws.com/test" }
}

mock_resource "aws_eks_node_group" {
  defaults = { resources = [{ autoscaling_groups = [{ name = "group" }] }] }
}
