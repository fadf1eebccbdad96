(* The exact solution, (E1) and (E2), except c = s = 0: it solves the flow, and nothing else does. For c = s =
   0, where A = 0, a shorter formula does. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters EqE1 EqE2 EqE6 Basics.
Open Scope R_scope.

(* The flow q' = M q - |q|^2 q/2 of q = (p, x, y) at a moment, with M = (c/2, s; s, -c/2) for (p, x) and -c/2
   for y. It is (E0) in scaled letters, which Lift.v shows. *)
Definition flow (L : letters) (p x y : R -> R) (t : R) : Prop :=
  let size2 := p t ^ 2 + x t ^ 2 + y t ^ 2 in
  is_derive p t (c L / 2 * p t + s L * x t - size2 / 2 * p t) /\
  is_derive x t (s L * p t - c L / 2 * x t - size2 / 2 * x t) /\
  is_derive y t (- c L / 2 * y t - size2 / 2 * y t).

(* (E1) at all times, and (E2) at those at which N > 0, so that nothing is divided by zero. All t >= 0 are
   among them, and so are some t < 0, for a derivative at t = 0 asks for both sides. A is from the first line
   of (E6), and not zero, which excludes c = s = 0. *)
Definition exact (L : letters) : Prop :=
  eqE6_1 L /\ 0 < A L /\ (forall t, eqE1 L t) /\ (forall t, 0 < N L t -> eqE2 L t).

Section Solution.

Variable L : letters.
Local Notation A := (A L).
Local Notation c := (c L).
Local Notation s := (s L).
Local Notation p_0 := (p_0 L).
Local Notation x_0 := (x_0 L).
Local Notation y_0 := (y_0 L).
Local Notation N := (N L).
Local Notation p := (p L).
Local Notation x := (x L).
Local Notation y := (y L).

(* The linear motion z = exp(M t) q_0 that (E2) divides by the root of N. *)
Definition z_p (t : R) : R := p_0 * cosh (t * A) + (c * p_0 / 2 + x_0 * s) * sinh (t * A) / A.
Definition z_x (t : R) : R := x_0 * cosh (t * A) + (- c * x_0 / 2 + s * p_0) * sinh (t * A) / A.
Definition z_y (t : R) : R := y_0 * exp (- c * t / 2).

Hypothesis E6 : eqE6_1 L.
Hypothesis A_positive : 0 < A.

(* A^2 = c^2/4 + s^2, solved for c^2. *)
Lemma A_squared : c ^ 2 = 4 * A ^ 2 - 4 * s ^ 2.
Proof.
  assert (H := E6); unfold eqE6_1 in H.
  assert (E : A ^ 2 = c ^ 2 / 4 + s ^ 2); [ | lra].
  rewrite H, pow2_sqrt; [reflexivity | nra].
Qed.

(* z' = M z, component by component: that of p, ... *)
Lemma z_p_rate : forall t, is_derive z_p t (c / 2 * z_p t + s * z_x t).
Proof.
  intros t; unfold z_p, z_x, sinh, cosh; auto_derive; auto.
  generalize (exp (t * A)) (exp (- (t * A))); intros E F.
  field [A_squared]; lra.
Qed.

(* That of x, ... *)
Lemma z_x_rate : forall t, is_derive z_x t (s * z_p t - c / 2 * z_x t).
Proof.
  intros t; unfold z_p, z_x, sinh, cosh; auto_derive; auto.
  generalize (exp (t * A)) (exp (- (t * A))); intros E F.
  field [A_squared]; lra.
Qed.

(* ... and that of y. *)
Lemma z_y_rate : forall t, is_derive z_y t (- c / 2 * z_y t).
Proof. intros t; unfold z_y; auto_derive; auto; unfold Rdiv; ring. Qed.

(* z(0) = q_0. *)
Lemma motion_starts : z_p 0 = p_0 /\ z_x 0 = x_0 /\ z_y 0 = y_0.
Proof.
  unfold z_p, z_x, z_y, sinh, cosh.
  replace (0 * A) with 0 by ring; replace (- c * 0 / 2) with 0 by field.
  rewrite Ropp_0, exp_0; repeat split; field; lra.
Qed.

Hypothesis E1 : forall t, eqE1 L t.

(* N' = |z|^2. *)
Lemma N_rate : forall t, is_derive N t (z_p t ^ 2 + z_x t ^ 2 + z_y t ^ 2).
Proof.
  intros t.
  pose (across := fun t => t * phi1 (- c * t)).
  assert (Hacross : is_derive across t (exp (- c * t))) by apply phi1_rate.
  eapply rate_as.
  2: { intros t'; assert (H := E1 t'); unfold eqE1, eqE1_1, sinh, cosh in H.
       replace (t' * y_0 ^ 2 * phi1 (- c * t')) with (y_0 ^ 2 * across t') in H by (unfold across; ring).
       symmetry; exact H. }
  - auto_derive; [repeat split; eexists; exact Hacross | reflexivity].
  - replace (Derive (fun t => across t) t) with (exp (- c * t))
      by (symmetry; now apply is_derive_unique).
    unfold z_p, z_x, z_y, sinh, cosh.
    replace (exp (- c * t)) with (exp (- c * t / 2) ^ 2)
      by (rewrite <- exp_twice; f_equal; field).
    replace (2 * t * A) with (2 * (t * A)) by ring.
    rewrite !exp_minus, ?exp_twice.
    assert (HE := exp_pos (t * A)); revert HE; generalize (exp (t * A)); intros E HE.
    generalize (exp (- c * t / 2)); intros F.
    field [A_squared]; lra.
Qed.

(* N starts at one ... *)
Lemma N_at_0 : N 0 = 1.
Proof.
  rewrite (E1 0); unfold sinh, cosh.
  replace (2 * 0 * A) with 0 by ring; rewrite Ropp_0, exp_0; field; lra.
Qed.

(* ... and never falls, so that nothing is ever divided by less than one. *)
Lemma N_from_1 : forall t, 0 <= t -> 1 <= N t.
Proof.
  intros t Ht; rewrite <- N_at_0.
  apply (rising N (fun t => z_p t ^ 2 + z_x t ^ 2 + z_y t ^ 2)); auto.
  - intros; apply N_rate.
  - intros; nra.
Qed.

(* A little before t >= 0, and after, N is positive still. *)
Lemma N_near : forall t, 0 <= t -> locally t (fun t' => 0 < N t').
Proof.
  intros t Ht; assert (H1 := N_from_1 t Ht).
  assert (Hex : ex_derive N t) by (eexists; apply N_rate).
  apply (ex_derive_continuous N t Hex (fun u => 0 < u)).
  apply (open_gt 0); lra.
Qed.

Hypothesis E2 : forall t, 0 < N t -> eqE2 L t.

(* Two expressions over A and the root of N are equal if they are so as quotients. *)
Ltac over_the_root HN :=
  let Hroot := fresh in assert (Hroot := sqrt_lt_R0 _ HN); field; repeat split; lra.

(* (E2) is this motion over the root of N: its first line, ... *)
Lemma p_is : forall t, 0 < N t -> p t = z_p t / sqrt (N t).
Proof. intros t HN; destruct (E2 t HN) as (Ep & _ & _); rewrite Ep; unfold z_p; over_the_root HN. Qed.

(* ... its second, ... *)
Lemma x_is : forall t, 0 < N t -> x t = z_x t / sqrt (N t).
Proof. intros t HN; destruct (E2 t HN) as (_ & Ex & _); rewrite Ex; unfold z_x; over_the_root HN. Qed.

(* ... and its third. *)
Lemma y_is : forall t, 0 < N t -> y t = z_y t / sqrt (N t).
Proof. intros t HN; destruct (E2 t HN) as (_ & _ & Ey); rewrite Ey; unfold z_y; over_the_root HN. Qed.

(* A part z of the motion with the rate v, over the root of N, has the rate v/sqrt N - |z|^2 z/2 N^(3/2). *)
Lemma divided_rate : forall (z : R -> R) (v t : R), 0 <= t -> is_derive z t v ->
  is_derive (fun t => z t / sqrt (N t)) t
    (v / sqrt (N t) - (z_p t ^ 2 + z_x t ^ 2 + z_y t ^ 2) / N t / 2 * (z t / sqrt (N t))).
Proof.
  intros z v t Ht Hz.
  assert (HN := N_rate t); assert (H1 := N_from_1 t Ht).
  assert (Hroot : 0 < sqrt (N t)) by (apply sqrt_lt_R0; lra).
  auto_derive.
  - repeat split; try lra; [now exists v | eexists; exact HN].
  - replace (Derive (fun t => z t) t) with v by (symmetry; now apply is_derive_unique).
    replace (Derive (fun t => N t) t) with (z_p t ^ 2 + z_x t ^ 2 + z_y t ^ 2)
      by (symmetry; now apply is_derive_unique).
    replace (N t) with (sqrt (N t) ^ 2) by (apply pow2_sqrt; lra).
    rewrite sqrt_pow2 by lra.
    field; lra.
Qed.

(* (E1) and (E2) solve the flow from t = 0 on, for every start and every c, zero included if s is not zero. *)
Lemma solution_flows : forall t, 0 <= t -> flow L p x y t.
Proof.
  intros t Ht.
  assert (H1 := N_from_1 t Ht); assert (Hnear := N_near t Ht); assert (HN : 0 < N t) by lra.
  assert (Hroot : 0 < sqrt (N t)) by (apply sqrt_lt_R0; lra).
  assert (Hsquare : forall a b c, (a / sqrt (N t)) ^ 2 + (b / sqrt (N t)) ^ 2 + (c / sqrt (N t)) ^ 2
                                  = (a ^ 2 + b ^ 2 + c ^ 2) / N t).
  { intros a b c'; replace (N t) with (sqrt (N t) ^ 2) at 4 by (apply pow2_sqrt; lra); field; lra. }
  unfold flow; rewrite (p_is t HN), (x_is t HN), (y_is t HN), Hsquare.
  split; [ | split].
  - apply (rate_near _ _ _ _ _ (divided_rate z_p _ t Ht (z_p_rate t))); [ | field; lra].
    apply (filter_imp (fun t' => 0 < N t')); [ | exact Hnear].
    intros t' Ht'; now rewrite p_is.
  - apply (rate_near _ _ _ _ _ (divided_rate z_x _ t Ht (z_x_rate t))); [ | field; lra].
    apply (filter_imp (fun t' => 0 < N t')); [ | exact Hnear].
    intros t' Ht'; now rewrite x_is.
  - apply (rate_near _ _ _ _ _ (divided_rate z_y _ t Ht (z_y_rate t))); [ | field; lra].
    apply (filter_imp (fun t' => 0 < N t')); [ | exact Hnear].
    intros t' Ht'; now rewrite y_is.
Qed.

(* They begin at the start. *)
Lemma solution_starts : p 0 = p_0 /\ x 0 = x_0 /\ y 0 = y_0.
Proof.
  destruct motion_starts as (Hp & Hx & Hy).
  assert (HN : 0 < N 0) by (rewrite N_at_0; lra).
  rewrite p_is, x_is, y_is, N_at_0, sqrt_1, Hp, Hx, Hy by exact HN; repeat split; field.
Qed.

End Solution.

(* What the flow conserves, p^2 - x^2 - y^2, is c where it was at the start: of the motion, c N. *)
Section Conserved.

Variable L : letters.
Hypothesis E6 : eqE6_1 L.
Hypothesis A_positive : 0 < A L.
Hypothesis E1 : forall t, eqE1 L t.
Hypothesis at_start : c L = p_0 L ^ 2 - x_0 L ^ 2 - y_0 L ^ 2.

(* z_p^2 - z_x^2 - z_y^2 = c N from t = 0 on: both sides have the same rate and the same start. *)
Lemma conserved : forall t, 0 <= t -> z_p L t ^ 2 - z_x L t ^ 2 - z_y L t ^ 2 = c L * N L t.
Proof.
  intros T HT.
  pose (gap := fun t => z_p L t ^ 2 - z_x L t ^ 2 - z_y L t ^ 2 - c L * N L t).
  assert (H : gap T = gap 0).
  { apply constant; auto; intros t Ht.
    assert (Hp := z_p_rate L E6 A_positive t); assert (Hx := z_x_rate L E6 A_positive t).
    assert (Hy := z_y_rate L t); assert (HN := N_rate L E6 A_positive E1 t).
    unfold gap; auto_derive; [derivable | known_rates; field]. }
  destruct (motion_starts L A_positive) as (Hp & Hx & Hy).
  unfold gap in H; rewrite (N_at_0 L A_positive E1), Hp, Hx, Hy in H; lra.
Qed.

End Conserved.

(* (E1)-(E2) solve the flow: q' = M q - |q|^2 q/2 from t = 0 on, for every start (p_0, x_0, y_0), every c and
   every s, but for c = s = 0, where A = 0 and (E1) divides by it. Checks (E1), (E2). *)
Theorem exact_solves : forall L, exact L -> forall t, 0 <= t -> flow L (p L) (x L) (y L) t.
Proof. intros L (E6 & HA & E1 & E2); now apply solution_flows. Qed.

(* Except for c = s = 0, where A = 0, N of (E1) is one at t = 0, and (E2) is (p_0, x_0, y_0).
   Checks (E1), (E2). *)
Theorem exact_starts : forall L, exact L ->
  N L 0 = 1 /\ p L 0 = p_0 L /\ x L 0 = x_0 L /\ y L 0 = y_0 L.
Proof.
  intros L (E6 & HA & E1 & E2); split.
  - now apply N_at_0.
  - now apply solution_starts.
Qed.

(* Except for c = s = 0, where A = 0, N of (E1) is never less than one from t = 0 on, so that what (E2)
   divides by never vanishes.
   Checks (E1). *)
Theorem exact_never_blows_up : forall L, exact L -> forall t, 0 <= t -> 1 <= N L t.
Proof. intros L (E6 & HA & E1 & _); now apply N_from_1. Qed.

(* The cubic part |q|^2 q of the flow draws two states together: (q - q').(|q|^2 q - |q'|^2 q') >= 0. *)
Lemma cubic_draws_together : forall a b e a' b' e' : R,
  0 <= (a - a') * ((a ^ 2 + b ^ 2 + e ^ 2) * a - (a' ^ 2 + b' ^ 2 + e' ^ 2) * a')
       + (b - b') * ((a ^ 2 + b ^ 2 + e ^ 2) * b - (a' ^ 2 + b' ^ 2 + e' ^ 2) * b')
       + (e - e') * ((a ^ 2 + b ^ 2 + e ^ 2) * e - (a' ^ 2 + b' ^ 2 + e' ^ 2) * e').
Proof.
  intros a b e a' b' e'.
  replace (_ + _ + _) with
    (((a ^ 2 + b ^ 2 + e ^ 2) + (a' ^ 2 + b' ^ 2 + e' ^ 2))
       * ((a - a') ^ 2 + (b - b') ^ 2 + (e - e') ^ 2) / 2
     + ((a ^ 2 + b ^ 2 + e ^ 2) - (a' ^ 2 + b' ^ 2 + e' ^ 2)) ^ 2 / 2) by field.
  assert (H := pow2_ge_0).
  assert (Hone := Rmult_le_pos ((a ^ 2 + b ^ 2 + e ^ 2) + (a' ^ 2 + b' ^ 2 + e' ^ 2))
                               ((a - a') ^ 2 + (b - b') ^ 2 + (e - e') ^ 2)).
  assert (Hsizes : 0 <= (a ^ 2 + b ^ 2 + e ^ 2) + (a' ^ 2 + b' ^ 2 + e' ^ 2))
    by (generalize (H a) (H b) (H e) (H a') (H b') (H e'); lra).
  assert (Happart : 0 <= (a - a') ^ 2 + (b - b') ^ 2 + (e - e') ^ 2)
    by (generalize (H (a - a')) (H (b - b')) (H (e - e')); lra).
  generalize (Hone Hsizes Happart) (H ((a ^ 2 + b ^ 2 + e ^ 2) - (a' ^ 2 + b' ^ 2 + e' ^ 2))); lra.
Qed.

(* The linear part M q draws them apart, but no faster than at a rate of |c| + 2 |s|. *)
Lemma linear_draws_apart : forall c s X Y Z : R,
  2 * X * (c / 2 * X + s * Y) + 2 * Y * (s * X - c / 2 * Y) - c * Z ^ 2
  <= (Rabs c + 2 * Rabs s) * (X ^ 2 + Y ^ 2 + Z ^ 2).
Proof.
  intros c s X Y Z.
  assert (Hc := Rle_abs c); assert (Hc' := Rle_abs (- c)); rewrite Rabs_Ropp in Hc'.
  assert (Hs := Rle_abs s); assert (Hs' := Rle_abs (- s)); rewrite Rabs_Ropp in Hs'.
  assert (HS := Rabs_pos s).
  revert Hc Hc' Hs Hs' HS; generalize (Rabs c) (Rabs s); intros C S Hc Hc' Hs Hs' HS.
  assert (P : forall k z, 0 <= k -> 0 <= k * z ^ 2)
    by (intros; apply Rmult_le_pos; [ | apply pow2_ge_0]; auto).
  generalize (P (C - c) X) (P (C + c) Y) (P (C + c) Z) (P S Z) (P (S - s) (X + Y)) (P (S + s) (X - Y)).
  intros; nra.
Qed.

(* Two solutions of the flow with one start are one solution. Their squared distance d has a rate of at most
   (|c| + 2 |s|) d, since the cubic part of the flow only draws them together. *)
Lemma flow_unique : forall (L : letters) (p x y p' x' y' : R -> R) (T : R),
  (forall t, 0 <= t <= T -> flow L p x y t) -> (forall t, 0 <= t <= T -> flow L p' x' y' t) ->
  p 0 = p' 0 -> x 0 = x' 0 -> y 0 = y' 0 -> 0 <= T ->
  p T = p' T /\ x T = x' T /\ y T = y' T.
Proof.
  intros L p x y p' x' y' T H H' Ep Ex Ey HT.
  pose (k := Rabs (c L) + 2 * Rabs (s L)).
  pose (d := fun t => (p t - p' t) ^ 2 + (x t - x' t) ^ 2 + (y t - y' t) ^ 2).
  pose (scaled := fun t => - (exp (- k * t) * d t)).
  pose (rate_of_d := fun t =>
    2 * (p t - p' t) * (c L / 2 * (p t - p' t) + s L * (x t - x' t))
    + 2 * (x t - x' t) * (s L * (p t - p' t) - c L / 2 * (x t - x' t))
    - c L * (y t - y' t) ^ 2
    - ((p t - p' t) * ((p t ^ 2 + x t ^ 2 + y t ^ 2) * p t - (p' t ^ 2 + x' t ^ 2 + y' t ^ 2) * p' t)
       + (x t - x' t) * ((p t ^ 2 + x t ^ 2 + y t ^ 2) * x t - (p' t ^ 2 + x' t ^ 2 + y' t ^ 2) * x' t)
       + (y t - y' t) * ((p t ^ 2 + x t ^ 2 + y t ^ 2) * y t - (p' t ^ 2 + x' t ^ 2 + y' t ^ 2) * y' t))).
  assert (Hrising : scaled 0 <= scaled T).
  { apply (rising scaled (fun t => exp (- k * t) * (k * d t - rate_of_d t))); auto; intros t Ht.
    - destruct (H t Ht) as (Hp & Hx & Hy), (H' t Ht) as (Hp' & Hx' & Hy').
      unfold scaled, d, rate_of_d; auto_derive; [derivable | known_rates; field].
    - apply Rmult_le_pos; [left; apply exp_pos | ].
      unfold d, rate_of_d, k.
      generalize (p t) (x t) (y t) (p' t) (x' t) (y' t); intros a b e a' b' e'.
      assert (Hcubic := cubic_draws_together a b e a' b' e').
      assert (Hlinear := linear_draws_apart (c L) (s L) (a - a') (b - b') (e - e')).
      lra. }
  assert (Hstart : scaled 0 = 0) by (unfold scaled, d; rewrite Ep, Ex, Ey; ring).
  assert (Hd : exp (- k * T) * d T <= 0) by (unfold scaled in *; lra).
  assert (Hexp := exp_pos (- k * T)).
  assert (Hend : d T <= 0) by (apply (Rmult_le_reg_l (exp (- k * T))); lra).
  destruct (squares_vanish _ _ _ Hend) as (Hp & Hx & Hy); repeat split; lra.
Qed.

(* Whatever solves the flow from the start (p_0, x_0, y_0), except for c = s = 0, is (E1)-(E2); to solve it at
   t = 0 and at T means a derivative from both sides there. Checks (E1), (E2). *)
Theorem exact_unique : forall L, exact L -> forall (p' x' y' : R -> R) (T : R),
  (forall t, 0 <= t <= T -> flow L p' x' y' t) -> p' 0 = p_0 L -> x' 0 = x_0 L -> y' 0 = y_0 L ->
  forall t, 0 <= t <= T -> p' t = p L t /\ x' t = x L t /\ y' t = y L t.
Proof.
  intros L solved p' x' y' T H Ep Ex Ey t Ht.
  destruct (exact_starts L solved) as (_ & Hp & Hx & Hy).
  apply (flow_unique L); try congruence; try lra.
  - intros t' Ht'; apply H; lra.
  - intros t' Ht'; apply exact_solves; [exact solved | lra].
Qed.

(* Where A = 0: a component of q_0/sqrt(1 + |q_0|^2 t). *)
Definition slow (L : letters) (q_0 t : R) : R :=
  q_0 / sqrt (1 + (p_0 L ^ 2 + x_0 L ^ 2 + y_0 L ^ 2) * t).

(* What it divides by is at least one from t = 0 on. *)
Lemma slow_below : forall L t, 0 <= t -> 1 <= 1 + (p_0 L ^ 2 + x_0 L ^ 2 + y_0 L ^ 2) * t.
Proof.
  intros L t Ht; assert (H : 0 <= (p_0 L ^ 2 + x_0 L ^ 2 + y_0 L ^ 2) * t); [ | lra].
  apply Rmult_le_pos; [ | exact Ht].
  generalize (pow2_ge_0 (p_0 L)) (pow2_ge_0 (x_0 L)) (pow2_ge_0 (y_0 L)); lra.
Qed.

(* Its rate. *)
Lemma slow_rate : forall L q_0 t, 0 <= t -> is_derive (slow L q_0) t
  (- (slow L (p_0 L) t ^ 2 + slow L (x_0 L) t ^ 2 + slow L (y_0 L) t ^ 2) / 2 * slow L q_0 t).
Proof.
  intros L q_0 t Ht; assert (H1 := slow_below L t Ht); unfold slow.
  set (size2 := p_0 L ^ 2 + x_0 L ^ 2 + y_0 L ^ 2) in *.
  assert (Hroot : 0 < sqrt (1 + size2 * t)) by (apply sqrt_lt_R0; lra).
  auto_derive; [repeat split; lra | ].
  replace ((p_0 L / sqrt (1 + size2 * t)) ^ 2 + (x_0 L / sqrt (1 + size2 * t)) ^ 2
           + (y_0 L / sqrt (1 + size2 * t)) ^ 2) with (size2 / sqrt (1 + size2 * t) ^ 2)
    by (unfold size2; field; fold size2; lra).
  field; lra.
Qed.

(* A = 0 in (E6) is c = s = 0, which (E1) leaves out: there q_0/sqrt(1 + |q_0|^2 t) solves the flow, begins at
   q_0, and whatever solves the flow from q_0 until T is this; to solve it at t = 0 and at T means a
   derivative from both sides there.
   Checks (E6). *)
Theorem zero_A_has_one_solution : forall L, eqE6_1 L -> A L = 0 ->
  (c L = 0 /\ s L = 0)
  /\ (forall t, 0 <= t -> flow L (slow L (p_0 L)) (slow L (x_0 L)) (slow L (y_0 L)) t)
  /\ (forall q_0, slow L q_0 0 = q_0)
  /\ forall (p' x' y' : R -> R) (T : R), (forall t, 0 <= t <= T -> flow L p' x' y' t) ->
     p' 0 = p_0 L -> x' 0 = x_0 L -> y' 0 = y_0 L ->
     forall t, 0 <= t <= T -> p' t = slow L (p_0 L) t /\ x' t = slow L (x_0 L) t /\ y' t = slow L (y_0 L) t.
Proof.
  intros L E6 HA.
  assert (Ezero : c L = 0 /\ s L = 0).
  { assert (H := A_squared L E6); rewrite HA in H.
    split; apply Rsqr_0_uniq; unfold Rsqr; generalize (pow2_ge_0 (c L)) (pow2_ge_0 (s L)); lra. }
  assert (Eflow : forall t, 0 <= t -> flow L (slow L (p_0 L)) (slow L (x_0 L)) (slow L (y_0 L)) t).
  { intros t Ht; unfold flow; destruct Ezero as (Hc & Hs); rewrite Hc, Hs.
    split; [ | split].
    - apply (rate_as _ _ _ _ _ (slow_rate L (p_0 L) t Ht)); [reflexivity | field].
    - apply (rate_as _ _ _ _ _ (slow_rate L (x_0 L) t Ht)); [reflexivity | field].
    - apply (rate_as _ _ _ _ _ (slow_rate L (y_0 L) t Ht)); [reflexivity | field]. }
  assert (Estart : forall q_0, slow L q_0 0 = q_0)
    by (intros; unfold slow; rewrite Rmult_0_r, Rplus_0_r, sqrt_1; field).
  split; [exact Ezero | split; [exact Eflow | split; [exact Estart | ]]].
  intros p' x' y' T H Ep Ex Ey t Ht.
  apply (flow_unique L); rewrite ?Estart; try assumption; try lra.
  - intros t' Ht'; apply H; lra.
  - intros t' Ht'; apply Eflow; lra.
Qed.
