(* The lift: gradient flow (E0) on the smallest network is the flow that (E1)-(E2) solve, and gives (7). *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters EqE0 EqE1 EqE2 EqE5 EqE6 Eq7 Basics Exact Variables.
Open Scope R_scope.

(* The scaled letters of (E0): p = u/sqrt(2 tau_y), and (x, y) = ||dx||/sqrt(2 tau_h) (r_along, r_across). *)
Definition scaled_p (L : letters) (t : R) : R := u L t / sqrt (2 * tau_y L).
Definition scaled_x (L : letters) (t : R) : R := sqrt (dx2 L / (2 * tau_h L)) * r_along L t.
Definition scaled_y (L : letters) (t : R) : R := sqrt (dx2 L / (2 * tau_h L)) * r_across L t.

(* What (E0) conserves. *)
Definition imbalance (L : letters) (t : R) : R := scaled_p L t ^ 2 - scaled_x L t ^ 2 - scaled_y L t ^ 2.

Section Lift.

Variable L : letters.
Hypothesis Hdx : 0 < dx2 L.
Hypothesis Hh : 0 < tau_h L.
Hypothesis Hy : 0 < tau_y L.

(* The factors of the scaled letters. *)
Local Definition k : R := / sqrt (2 * tau_y L).
Local Definition m : R := sqrt (dx2 L / (2 * tau_h L)).

(* The square of the first factor, *)
Lemma k_squared : k ^ 2 = / (2 * tau_y L).
Proof.
  unfold k; assert (0 < sqrt (2 * tau_y L)) by (apply sqrt_lt_R0; lra).
  replace ((/ sqrt (2 * tau_y L)) ^ 2) with (/ sqrt (2 * tau_y L) ^ 2) by (field; lra).
  rewrite pow2_sqrt by lra; reflexivity.
Qed.

(* and that of the second. *)
Lemma m_squared : m ^ 2 = dx2 L / (2 * tau_h L).
Proof. unfold m; apply pow2_sqrt; left; apply Rdiv_lt_0_compat; lra. Qed.

(* Neither is zero. *)
Lemma factors_positive : 0 < k /\ 0 < m.
Proof.
  unfold k, m; split.
  - apply Rinv_0_lt_compat, sqrt_lt_R0; lra.
  - apply sqrt_lt_R0, Rdiv_lt_0_compat; lra.
Qed.

(* s = k m ||dy*||. *)
Lemma s_of_target : eqE5_5 L -> s L = k * m * sqrt (dy2_target L).
Proof.
  unfold eqE5_5, k, m; intros ->.
  rewrite (sqrt_div (dx2 L)), !sqrt_mult by lra.
  assert (0 < sqrt 2) by (apply sqrt_lt_R0; lra).
  assert (0 < sqrt (tau_h L)) by now apply sqrt_lt_R0.
  assert (0 < sqrt (tau_y L)) by now apply sqrt_lt_R0.
  replace 2 with (sqrt 2 ^ 2) at 1 by (apply pow2_sqrt; lra).
  field; lra.
Qed.

(* At a moment at which c is the imbalance, (E0) is the flow in scaled letters. *)
Lemma lift_is_flow : eqE5_5 L -> forall t, c L = imbalance L t ->
  (eqE0 L t <-> flow L (scaled_p L) (scaled_x L) (scaled_y L) t).
Proof.
  intros Hs t Hc; apply s_of_target in Hs; unfold imbalance in Hc.
  destruct factors_positive as (Hk & Hm); assert (Hk2 := k_squared); assert (Hm2 := m_squared).
  assert (Ep : forall t, scaled_p L t = k * u L t) by (intros; unfold scaled_p, k, Rdiv; ring).
  assert (Ex : forall t, scaled_x L t = m * r_along L t) by reflexivity.
  assert (Ey : forall t, scaled_y L t = m * r_across L t) by reflexivity.
  unfold flow; rewrite Hc, Hs, !Ep, !Ex, !Ey.
  assert (Hdx2 : dx2 L = m ^ 2 * (2 * tau_h L)) by (rewrite Hm2; field; lra).
  assert (Hty : tau_y L = / (2 * k ^ 2)) by (rewrite Hk2; field; lra).
  split.
  - intros (Hu & Ha & Hb); apply rate in Hu, Ha, Hb; rewrite Hdx2 in Hu; rewrite Hty in Ha, Hb.
    split; [ | split].
    + apply (rate_as _ (fun t => k * u L t) _ _ _ (is_derive_scal _ _ k _ Hu)); [ | field; lra].
      intros; symmetry; apply Ep.
    + apply (rate_as _ (fun t => m * r_along L t) _ _ _ (is_derive_scal _ _ m _ Ha)); [ | field; lra].
      reflexivity.
    + apply (rate_as _ (fun t => m * r_across L t) _ _ _ (is_derive_scal _ _ m _ Hb)); [ | field; lra].
      reflexivity.
  - intros (Hp & Hx & Hz); split; [ | split]; apply rate.
    + rewrite Hdx2.
      apply (rate_as _ (fun t => / k * scaled_p L t) _ _ _ (is_derive_scal _ _ (/ k) _ Hp)).
      * intros; rewrite Ep; field; lra.
      * field; lra.
    + rewrite Hty.
      apply (rate_as _ (fun t => / m * scaled_x L t) _ _ _ (is_derive_scal _ _ (/ m) _ Hx)).
      * intros; rewrite Ex; field; lra.
      * field; lra.
    + rewrite Hty.
      apply (rate_as _ (fun t => / m * scaled_y L t) _ _ _ (is_derive_scal _ _ (/ m) _ Hz)).
      * intros; rewrite Ey; field; lra.
      * field; lra.
Qed.

(* Along (E0) the imbalance stays what it was. *)
Lemma lift_conserves : forall T, (forall t, 0 <= t <= T -> eqE0 L t) -> 0 <= T ->
  imbalance L T = imbalance L 0.
Proof.
  intros T H HT; apply constant; [ | exact HT]; intros t Ht.
  destruct (H t Ht) as (Hu & Ha & Hb); apply rate in Hu, Ha, Hb.
  assert (Hk2 := k_squared); assert (Hm2 := m_squared).
  apply (rate_as _ (fun t => k ^ 2 * u L t ^ 2 - m ^ 2 * (r_along L t ^ 2 + r_across L t ^ 2)) t _ 0);
    [ | | reflexivity].
  - rewrite Hk2, Hm2; auto_derive; [derivable | known_rates; field; lra].
  - intros t'; unfold imbalance, scaled_p, scaled_x, scaled_y; fold m; fold k.
    unfold Rdiv at 1; fold k; ring.
Qed.

(* In ||dh||^2 = u^2, ||dy||^2 = u^2 |r|^2 and w = u r.(u r - dy* ) it is (7), where u is not zero. *)
Lemma lift_gives_eq7 : 0 <= dy2_target L ->
  (forall t, dh2 L t = u L t ^ 2) ->
  (forall t, dy2 L t = u L t ^ 2 * (r_along L t ^ 2 + r_across L t ^ 2)) ->
  (forall t, w L t = u L t ^ 2 * (r_along L t ^ 2 + r_across L t ^ 2)
                     - u L t * r_along L t * sqrt (dy2_target L)) ->
  forall t, u L t <> 0 -> eqE0 L t -> eq7 L t.
Proof.
  intros Hd Edh Edy Ew t Hu0 (Hu & Ha & Hb); apply rate in Hu, Ha, Hb.
  assert (Htarget : dy2_target L = sqrt (dy2_target L) ^ 2) by (symmetry; now apply pow2_sqrt).
  split; [ | split]; apply rate.
  - eapply rate_as; [ | intros t'; symmetry; apply Edh | ].
    + auto_derive; [derivable | reflexivity].
    + known_rates; rewrite Ew; field; lra.
  - eapply rate_as; [ | intros t'; symmetry; apply Edy | ].
    + auto_derive; [derivable | reflexivity].
    + known_rates; rewrite Ew, Edy, Edh; field; repeat split; lra.
  - eapply rate_as; [ | intros t'; symmetry; apply Ew | ].
    + auto_derive; [derivable | reflexivity].
    + known_rates; rewrite Ew, Edy, Edh, Htarget, sqrt_pow2 by apply sqrt_pos.
      field; repeat split; lra.
Qed.

End Lift.

(* (E0) and the flow q' = M q - |q|^2 q/2 are the same in other units, while c is the imbalance p^2 - x^2 -
   y^2 of the moment in the scaled letters p, x and y.
   Checks (E0), (E5). *)
Theorem eqE0_is_the_flow : forall L, 0 < dx2 L -> 0 < tau_h L -> 0 < tau_y L -> eqE5_5 L ->
  forall t, c L = imbalance L t -> (eqE0 L t <-> flow L (scaled_p L) (scaled_x L) (scaled_y L) t).
Proof. exact lift_is_flow. Qed.

(* The imbalance p^2 - x^2 - y^2 of the scaled letters is conserved along (E0). Checks (E0). *)
Theorem eqE0_conserves : forall L T, 0 < dx2 L -> 0 < tau_h L -> 0 < tau_y L ->
  (forall t, 0 <= t <= T -> eqE0 L t) -> 0 <= T -> imbalance L T = imbalance L 0.
Proof. intros L T Hdx Hh Hy; exact (lift_conserves L Hdx Hh Hy T). Qed.

(* The chain rule turns (E0) into (7), all three lines of it, at a moment at which u is not zero.
   Checks (7), (E0). *)
Theorem eqE0_gives_eq7 : forall L, 0 < dx2 L -> 0 < tau_h L -> 0 < tau_y L -> 0 <= dy2_target L ->
  (forall t, dh2 L t = u L t ^ 2) ->
  (forall t, dy2 L t = u L t ^ 2 * (r_along L t ^ 2 + r_across L t ^ 2)) ->
  (forall t, w L t = u L t ^ 2 * (r_along L t ^ 2 + r_across L t ^ 2)
                     - u L t * r_along L t * sqrt (dy2_target L)) ->
  forall t, u L t <> 0 -> eqE0 L t -> eq7 L t.
Proof. intros L Hdx Hh Hy; exact (lift_gives_eq7 L Hh Hy). Qed.

(* Whatever solves (E0) from an allowed start except c = s = 0, where A = 0, is (E1)-(E2), in scaled letters.
   To solve it until T means a derivative from both sides at t = 0 and at T too.
   Checks (E0), (E1), (E2) and (E5). *)
Theorem eqE0_has_one_solution : forall L T, start L -> exact L ->
  (forall t, 0 <= t <= T -> eqE0 L t) ->
  scaled_p L 0 = p_0 L -> scaled_x L 0 = x_0 L -> scaled_y L 0 = y_0 L ->
  forall t, 0 <= t <= T -> scaled_p L t = p L t /\ scaled_x L t = x L t /\ scaled_y L t = y L t.
Proof.
  intros L T begins solved H Ep Ex Ey t Ht.
  assert (Hc := c_at_start L begins); destruct begins as ((_ & _ & _ & _ & Hs) & Hdx & Hh & Hy & _).
  apply (exact_unique L solved (scaled_p L) (scaled_x L) (scaled_y L) T); auto.
  intros t' Ht'; apply (lift_is_flow L Hdx Hh Hy Hs); [ | now apply H].
  rewrite (lift_conserves L Hdx Hh Hy t'); [ | intros; apply H; lra | lra].
  unfold imbalance; rewrite Ep, Ex, Ey; exact Hc.
Qed.
