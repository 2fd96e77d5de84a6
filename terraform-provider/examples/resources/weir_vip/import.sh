# SPDX-License-Identifier: Apache-2.0
terraform import weir_vip.shop vip_019ab1c2d3e47f0081920a1b2c3d4e5f
