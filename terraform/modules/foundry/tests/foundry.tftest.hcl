mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name               = "jepa-test"
  disposable         = true
  zones              = ["us-east-1a", "us-east-1b"]
  nat_per_zone       = false
  admin_role_arns    = ["arn:aws:iam::111122223333:role/platform"]
  emails             = ["platform@example.org"]
  log_days           = 30
  bucket_gib         = 100
  dollars_a_month    = 600
  stop_automatically = true
  pools = {
    system = { instance_types = ["m6i.large"], minimum = 2, maximum = 3 }
  }
}

run "foundry" {
  assert {
    condition     = output.store_uri == "s3://${module.storage.bucket}" && output.region == "us-east-1" && output.namespace == "jepa"
    error_message = "jepa would be told another store or region than there is"
  }

  assert {
    condition = { for kind, account in output.service_accounts : kind => "${account.namespace}/${account.name}" } == {
      collect     = "jepa/jepa-collect"
      pretrain    = "jepa/jepa-pretrain"
      evaluate    = "jepa/jepa-evaluate"
      maintenance = "jepa/jepa-maintenance"
      flows       = "jepa/jepa-flows"
      autoscaler  = "kube-system/cluster-autoscaler"
    }
    error_message = "the manifests' service accounts get no role"
  }

  assert {
    condition     = toset(keys(local.roles["flows"].policy_arns)) == toset(["collect", "pretrain", "evaluate"])
    error_message = "a flow that runs the whole job may not do a part of it, or may do more"
  }

  assert {
    condition     = local.bucket == "jepa-test-111122223333"
    error_message = "the bucket's name does not say whose it is, and somebody else may have it"
  }
}

run "refused" {
  command = plan

  variables {
    name = "Jepa"
  }

  expect_failures = [var.name]
}
