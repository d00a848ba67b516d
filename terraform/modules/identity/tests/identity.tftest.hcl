mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name         = "jepa-test"
  cluster_name = "jepa-test"
  cluster_arn  = "arn:aws:eks:us-east-1:111122223333:cluster/jepa-test"
  roles = {
    collect = {
      namespace = "jepa", service_account = "jepa-collect", policy_arns = { store = "arn:aws:iam::111122223333:policy/collect" }
    }
    flows = {
      namespace = "jepa", service_account = "jepa-flows", policy_arns = {
        collect = "arn:aws:iam::111122223333:policy/collect", pretrain = "arn:aws:iam::111122223333:policy/pretrain"
      }
    }
  }
}

run "identity" {
  assert {
    condition = alltrue([for role in aws_iam_role.job : [
      for statement in jsondecode(role.assume_role_policy).Statement : statement.Principal
    ] == [{ Service = "pods.eks.amazonaws.com" }]])
    error_message = "somebody else than pods may take a role"
  }

  assert {
    condition = alltrue([for kind, role in aws_iam_role.job : alltrue([for statement in jsondecode(role.assume_role_policy).Statement :
      statement.Condition.StringEquals["aws:RequestTag/kubernetes-service-account"] == var.roles[kind].service_account &&
      statement.Condition.StringEquals["aws:RequestTag/kubernetes-namespace"] == "jepa"
    ])])
    error_message = "the pods of another service account may take a role"
  }

  assert {
    condition = alltrue([for role in aws_iam_role.job : alltrue([for statement in jsondecode(role.assume_role_policy).Statement :
      statement.Condition.ArnEquals["aws:SourceArn"] == var.cluster_arn
    ])])
    error_message = "the pods of another cluster may take a role"
  }

  assert {
    condition     = aws_eks_pod_identity_association.job["collect"].service_account == "jepa-collect" && aws_eks_pod_identity_association.job["collect"].role_arn == aws_iam_role.job["collect"].arn
    error_message = "a service account does not get the role of its kind"
  }

  assert {
    condition = { for key, attachment in aws_iam_role_policy_attachment.job : key => attachment.policy_arn } == {
      "collect/store"  = "arn:aws:iam::111122223333:policy/collect"
      "flows/collect"  = "arn:aws:iam::111122223333:policy/collect"
      "flows/pretrain" = "arn:aws:iam::111122223333:policy/pretrain"
    }
    error_message = "a role has another policy than was asked for"
  }
}

run "refused" {
  command = plan

  variables {
    name        = "Jepa"
    cluster_arn = "jepa"
    roles = {
      one = { namespace = "jepa", service_account = "same", policy_arns = { a = "arn:aws:iam::111122223333:policy/a" } }
      two = { namespace = "jepa", service_account = "same", policy_arns = { a = "arn:aws:iam::111122223333:policy/a" } }
    }
  }

  expect_failures = [var.name, var.cluster_arn, var.roles]
}
