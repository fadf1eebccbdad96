(* Where (25) rests, (27), and what it does near the positive point to first order, (29)-(31). *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters Eq25 Eq27 Eq28 Eq29 Eq30 Eq31 EqE0 Basics Level.
Open Scope R_scope.

Section Rest.

Variable L : letters.
Hypothesis constant_letters : constants L.
Hypothesis E28 : eq28 L.
Hypothesis target_distance : 0 <= dy2_target L.

(* A_low^2 = tau_y dx^2 dy*^2/tau_h, solved for the targets' distance. *)
Lemma target_from_A_low : dy2_target L = tau_h L / (dx2 L * tau_y L) * A_low L ^ 2.
Proof.
  destruct constant_letters as (Hdx & Hh & Hy & _), E28 as (_ & Hlow); unfold eq28_2 in Hlow.
  assert (0 < sqrt (tau_h L)) by now apply sqrt_lt_R0.
  replace (A_low L ^ 2)
    with (sqrt (dy2_target L) ^ 2 * sqrt (dx2 L) ^ 2 * sqrt (tau_y L) ^ 2 / sqrt (tau_h L) ^ 2)
    by (rewrite Hlow; field; lra).
  rewrite !pow2_sqrt by lra; field; lra.
Qed.

(* The root of (27) and its square. *)
Definition root : R := sqrt (A_high L ^ 2 / 4 + A_low L ^ 2).

(* Its square. *)
Lemma root_squared : root ^ 2 = A_high L ^ 2 / 4 + A_low L ^ 2.
Proof. unfold root; apply pow2_sqrt; nra. Qed.

(* A root is not negative. *)
Lemma root_not_negative : 0 <= root.
Proof. apply sqrt_pos. Qed.

(* The root of (29)-(31) is twice that of (27). *)
Lemma spread : sqrt (A_high L ^ 2 + 4 * A_low L ^ 2) = 2 * root.
Proof.
  replace (A_high L ^ 2 + 4 * A_low L ^ 2) with ((2 * root) ^ 2).
  - apply sqrt_pow2; generalize root_not_negative; lra.
  - replace ((2 * root) ^ 2) with (4 * root ^ 2) by ring; rewrite root_squared; field.
Qed.

(* With A_low > 0 the root is larger than |A_high|/2, so one end is positive and the other is not. *)
Lemma root_above : 0 < A_low L -> 0 < A_high L / 2 + root /\ A_high L / 2 - root < 0.
Proof.
  intros H; assert (E := root_squared); assert (Hr := root_not_negative).
  assert (Hlow : 0 < A_low L ^ 2) by nra.
  split; nra.
Qed.

(* Where w = 0 the rate of w is h (h^2 - A_high h - A_low^2) times a positive number, with h = ||dh||^2, by
   which (25) divides. *)
Lemma rate_at_zero_w : forall t, dh2 L t <> 0 -> w L t = 0 ->
  eq25_2_right L t = tau_h L / (2 * dx2 L * tau_y L ^ 2)
                     * (dh2 L t * (dh2 L t ^ 2 - A_high L * dh2 L t - A_low L ^ 2)).
Proof.
  intros t Hdh E; assert (Ht := target_from_A_low).
  destruct constant_letters as (Hdx & Hh & Hy & H0), E28 as (Hhigh & _); unfold eq28_1 in Hhigh.
  unfold eq25_2_right; rewrite E, Ht, Hhigh.
  field; repeat split; lra.
Qed.

(* Where ||dh||^2 is not zero, (25) rests at the two other values of (27), and nowhere else. *)
Lemma rests : forall t, dh2 L t <> 0 -> eq25 L t ->
  (Derive (dh2 L) t = 0 /\ Derive (w L) t = 0 <-> w L t = 0 /\ (eq27_2 L t \/ eq27_3 L t)).
Proof.
  intros t Hdh ((_ & Edh) & (_ & Ew)); rewrite Edh, Ew; fold (eq25_2_right L t).
  assert (Hroot := root_squared); assert (Hrate := rate_at_zero_w t Hdh).
  destruct constant_letters as (Hdx & Hh & Hy & H0).
  assert (Hfactor : 0 < tau_h L / (2 * dx2 L * tau_y L ^ 2)).
  { apply Rdiv_lt_0_compat; [exact Hh | ].
    apply Rmult_lt_0_compat; [lra | now apply pow_lt]. }
  assert (Hw : - dx2 L * w L t / tau_h L = 0 <-> w L t = 0).
  { split; intros E; [ | rewrite E; field; lra].
    apply (Rmult_eq_reg_l (- dx2 L / tau_h L)).
    - rewrite Rmult_0_r, <- E; field; lra.
    - apply Rmult_integral_contrapositive_currified; [lra | apply Rinv_neq_0_compat; lra]. }
  rewrite Hw; split; intros (E & E'); split; try exact E; rewrite (Hrate E) in *.
  - apply Rmult_integral in E'; destruct E' as [E' | E']; [lra | ].
    apply Rmult_integral in E'; destruct E' as [E' | E']; [now destruct (Hdh E') | ].
    assert (F : (dh2 L t - (A_high L / 2 + root)) * (dh2 L t - (A_high L / 2 - root)) = 0).
    { replace (_ * _) with (dh2 L t ^ 2 - A_high L * dh2 L t + (A_high L ^ 2 / 4 - root ^ 2)) by field.
      rewrite Hroot; lra. }
    apply Rmult_integral in F; unfold eq27_2, eq27_3; fold root; destruct F; [left | right]; lra.
  - destruct E' as [E' | E']; unfold eq27_2, eq27_3 in E'; rewrite E'; fold root.
    + replace (_ ^ 2 - _ - _) with (root ^ 2 - (A_high L ^ 2 / 4 + A_low L ^ 2)) by field.
      rewrite Hroot; ring.
    + replace (_ ^ 2 - _ - _) with (root ^ 2 - (A_high L ^ 2 / 4 + A_low L ^ 2)) by field.
      rewrite Hroot; ring.
Qed.

(* Through the positive point, with the velocity (a, b): the right sides of (25) change with J (a, b). *)
Lemma jacobian : forall a b : R, 0 < A_low L -> eq29 L ->
  (forall t, dh2 L t = A_high L / 2 + root + a * t) -> (forall t, w L t = b * t) ->
  is_derive (eq25_1_right L) 0 (J_11 L * a + J_12 L * b) /\
  is_derive (eq25_2_right L) 0 (J_21 L * a + J_22 L * b).
Proof.
  intros a b Hlow (E11 & E12 & E21 & E22) Hdh Hw; assert (Ht := target_from_A_low).
  unfold eq29_1, eq29_2, eq29_3, eq29_4 in *; rewrite spread in E22; fold root in E21.
  destruct (root_above Hlow) as (Hend & _); assert (Hroot := root_squared).
  destruct constant_letters as (Hdx & Hh & Hy & H0), E28 as (Hhigh & _); unfold eq28_1 in Hhigh.
  assert (Hoffset : dy2_0 L / dh2_0 L = tau_h L / (dx2 L * tau_y L) * (dh2_0 L - A_high L))
    by (rewrite Hhigh; field; lra).
  split.
  - apply (rate_as _ (fun t => - dx2 L * (b * t) / tau_h L) 0 _ (- dx2 L / tau_h L * b)).
    + auto_derive; [auto | field; lra].
    + intros t; unfold eq25_1_right; now rewrite Hw.
    + rewrite E11, E12; field; lra.
  - eapply rate_as.
    2: { intros t; assert (E : eq25_2_right L t = eq25_2_right L t) by reflexivity.
         unfold eq25_2_right in E at 2; rewrite Hw, Hdh, Hoffset, Ht in E; symmetry; exact E. }
    + auto_derive; [lra | reflexivity].
    + rewrite E21, E22, !Rmult_0_r, Rplus_0_r.
      assert (Hroot' : A_high L ^ 2 = 4 * root ^ 2 - 4 * A_low L ^ 2) by (rewrite Hroot; field).
      field [Hroot']; repeat split; lra.
Qed.

End Rest.

(* Where ||dh||^2 is not zero, by which (25) divides, (25) rests exactly where w = 0 and ||dh||^2 is the
   second or the third value of (27), with A_high and A_low from (28).
   Checks (25), (27) and (28). *)
Theorem eq27_rests : forall L t, constants L -> eq28 L -> 0 <= dy2_target L -> dh2 L t <> 0 -> eq25 L t ->
  (Derive (dh2 L) t = 0 /\ Derive (w L) t = 0 <-> w L t = 0 /\ (eq27_2 L t \/ eq27_3 L t)).
Proof. intros L t Hc E28 Hd Hdh; exact (rests L Hc E28 Hd t Hdh). Qed.

(* Where ||dh||^2 = u^2 is the first value of (27), zero, (25) says nothing, for it divides by it; there the
   gradient flow (E0), for targets that differ, rests exactly where r is orthogonal to dy*.
   Checks (27), (E0). *)
Theorem eq27_rests_at_zero : forall L t, constants L -> 0 < dy2_target L ->
  eqE0 L t -> dh2 L t = u L t ^ 2 -> eq27_1 L t ->
  (Derive (u L) t = 0 /\ Derive (r_along L) t = 0 /\ Derive (r_across L) t = 0 <-> r_along L t = 0).
Proof.
  intros L t (Hdx & Hh & Hy & _) Hd ((_ & Eu) & (_ & Ea) & (_ & Eb)) Edh E27.
  unfold eq27_1 in E27; rewrite E27 in Edh.
  assert (Hu : u L t = 0) by (apply Rsqr_0_uniq; unfold Rsqr; lra).
  assert (Hroot : 0 < sqrt (dy2_target L)) by now apply sqrt_lt_R0.
  rewrite Eu, Ea, Eb, Hu; split.
  - intros (E & _).
    apply (Rmult_eq_reg_l (dx2 L / (2 * tau_h L) * sqrt (dy2_target L))).
    + rewrite Rmult_0_r, <- E; field; lra.
    + apply Rgt_not_eq, Rmult_lt_0_compat; [apply Rdiv_lt_0_compat; lra | assumption].
  - intros ->; repeat split; field; lra.
Qed.

(* If A_low > 0, the second value of (27) is positive, and the third is negative. Checks (27). *)
Theorem eq27_signs : forall L t, 0 < A_low L ->
  (eq27_2 L t -> 0 < dh2 L t) /\ (eq27_3 L t -> dh2 L t < 0).
Proof.
  intros L t H; destruct (root_above L H) as (Hup & Hdown).
  split; intros E; [unfold eq27_2 in E | unfold eq27_3 in E]; rewrite E; assumption.
Qed.

(* If A_low > 0, (29) is the Jacobian of (25) at the rest point with the second value of (27): along the line
   through this point with any velocity (a, b), the right sides of (25) change at the rates J (a, b).
   Checks (25), (27), (28) and (29). *)
Theorem eq29_is_the_jacobian : forall L (a b : R), constants L -> eq28 L -> 0 <= dy2_target L ->
  0 < A_low L -> eq29 L -> eq27_2 L 0 ->
  (forall t, dh2 L t = dh2 L 0 + a * t) -> (forall t, w L t = b * t) ->
  is_derive (eq25_1_right L) 0 (J_11 L * a + J_12 L * b) /\
  is_derive (eq25_2_right L) 0 (J_21 L * a + J_22 L * b).
Proof.
  intros L a b Hc E28 Hd Hlow E29 E27 Hdh Hw; unfold eq27_2 in E27.
  apply (jacobian L Hc E28 Hd a b Hlow E29); [ | exact Hw].
  intros t; rewrite Hdh, E27; reflexivity.
Qed.

(* The trace of the matrix (29) is (30), and negative if A_low > 0. Checks (29), (30). *)
Theorem eq30_is_the_trace : forall L, constants L -> 0 < A_low L -> eq29 L ->
  trace L = J_11 L + J_22 L -> eq30 L /\ trace L < 0.
Proof.
  intros L (_ & _ & Hy & _) Hlow (E11 & _ & _ & E22) E; unfold eq29_1, eq29_4 in *.
  assert (E' : eq30 L) by (unfold eq30, eq30_1; rewrite E, E11, E22; ring).
  split; [exact E' | ]; unfold eq30, eq30_1 in E'.
  destruct (root_above L Hlow) as (Hup & _); assert (Hr := root_not_negative L).
  rewrite E', spread; apply Ropp_lt_cancel; rewrite Ropp_0.
  replace (- ((- A_high L / 2 - 2 * root L) / tau_y L)) with ((A_high L / 2 + 2 * root L) / tau_y L)
    by (field; lra).
  apply Rdiv_lt_0_compat; lra.
Qed.

(* The determinant of the matrix (29) is (31), and positive if A_low > 0. Checks (29), (31). *)
Theorem eq31_is_the_determinant : forall L, constants L -> 0 < A_low L -> eq29 L ->
  det L = J_11 L * J_22 L - J_12 L * J_21 L -> eq31 L /\ 0 < det L.
Proof.
  intros L (Hdx & Hh & Hy & _) Hlow (E11 & E12 & E21 & _) E; unfold eq29_1, eq29_2, eq29_3 in *.
  destruct (root_above L Hlow) as (Hup & _); assert (Hroot := root_squared L).
  fold (root L) in E21.
  assert (Hr : 0 < root L) by (assert (H := root_not_negative L); nra).
  assert (E' : eq31 L).
  { unfold eq31, eq31_1; rewrite spread; fold (root L); rewrite E, E11, E12, E21.
    replace (A_low L ^ 2) with (root L ^ 2 - A_high L ^ 2 / 4) by (rewrite Hroot; ring).
    field; repeat split; lra. }
  split; [exact E' | ]; unfold eq31, eq31_1 in E'; rewrite E', spread; fold (root L).
  apply Rdiv_lt_0_compat; [apply Rmult_lt_0_compat; lra | ].
  apply Rmult_lt_0_compat; [lra | now apply pow_lt].
Qed.
