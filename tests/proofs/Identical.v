(* Identical targets: where w = ||dy||^2, (7) becomes (37) and (38), whose solution from the start is (39),
   with (40); and these solve (7) for ||dy*||^2 = 0. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters Eq7 Eq11 Eq24 Eq37 Eq38 Eq39 Eq40 Eq39equal Basics Level.
Open Scope R_scope.

(* At a moment at which w = ||dy||^2, which is presupposed here and not derived from identical targets, the
   first two lines of (7) are (37).
   Checks (7), (37). *)
Theorem eq37_holds : forall L t, eq7 L t -> w L t = dy2 L t -> eq37 L t.
Proof.
  intros L t (Edh & Edy & _) E; split; apply rate.
  - apply rate in Edh; now rewrite E in Edh.
  - apply rate in Edy; now rewrite E in Edy.
Qed.

(* With (24) and A_high from (11), the first line of (37) gives the Bernoulli equation (38).
   Checks (24), (37), (38). *)
Theorem eq38_holds : forall L t, constants L -> eq11_1 L -> eq24 L t -> eq37 L t -> eq38 L t.
Proof.
  intros L t Hc Hhigh E24 (E & _); assert (El := level L t Hc Hhigh E24).
  destruct Hc as (Hdx & Hh & Hy & _).
  apply rate in E; apply rate; apply (rate_as _ _ _ _ _ E); [reflexivity | ].
  rewrite El; field; lra.
Qed.

Section Bernoulli.

Variable L : letters.
Hypothesis Hy : 0 < tau_y L.
Hypothesis H0 : 0 < dh2_0 L.
Hypothesis Hhigh : A_high L <> 0.

(* What (39) divides by. *)
Definition below (t : R) : R := (A_high L / dh2_0 L - 1) * exp (- A_high L * t / tau_y L) + 1.

(* It is never zero, for either sign of A_high: A_high over it stays positive. *)
Lemma below_sign : forall t, 0 <= t -> 0 < A_high L * below t.
Proof.
  intros t Ht; unfold below.
  replace (A_high L * ((A_high L / dh2_0 L - 1) * exp (- A_high L * t / tau_y L) + 1))
    with (A_high L ^ 2 / dh2_0 L * exp (- A_high L * t / tau_y L)
          + A_high L * (1 - exp (- A_high L * t / tau_y L))) by (field; lra).
  assert (He := exp_pos (- A_high L * t / tau_y L)).
  assert (Hfirst : 0 < A_high L ^ 2 / dh2_0 L * exp (- A_high L * t / tau_y L)).
  { apply Rmult_lt_0_compat; [ | exact He].
    apply Rdiv_lt_0_compat; [now apply pow2_gt_0 | exact H0]. }
  assert (Hsecond : 0 <= A_high L * (1 - exp (- A_high L * t / tau_y L))); [ | lra].
  assert (Hq : 0 <= t / tau_y L) by (apply Rmult_le_pos; [exact Ht | left; now apply Rinv_0_lt_compat]).
  replace (- A_high L * t / tau_y L) with (- A_high L * (t / tau_y L)) by (unfold Rdiv; ring).
  rewrite <- exp_0; destruct (Rlt_dec 0 (A_high L)) as [Hpos | Hneg].
  - apply Rmult_le_pos; [lra | ].
    assert (Hle : exp (- A_high L * (t / tau_y L)) <= exp 0); [ | lra].
    destruct (Req_dec (t / tau_y L) 0) as [-> | Hn]; [right; f_equal; ring | ].
    left; apply exp_increasing; nra.
  - replace (A_high L * (exp 0 - exp (- A_high L * (t / tau_y L))))
      with (- A_high L * (exp (- A_high L * (t / tau_y L)) - exp 0)) by ring.
    apply Rmult_le_pos; [lra | ].
    assert (Hle : exp 0 <= exp (- A_high L * (t / tau_y L))); [ | lra].
    destruct (Req_dec (t / tau_y L) 0) as [-> | Hn]; [right; f_equal; ring | ].
    left; apply exp_increasing; nra.
Qed.

(* So nothing is divided by zero. *)
Lemma below_nonzero : forall t, 0 <= t -> below t <> 0.
Proof. intros t Ht E; assert (H := below_sign t Ht); rewrite E in H; lra. Qed.

(* It begins at A_high/||dh(0)||^2. *)
Lemma below_at_0 : below 0 = A_high L / dh2_0 L.
Proof.
  unfold below; replace (- A_high L * 0 / tau_y L) with 0 by (field; lra); rewrite exp_0; ring.
Qed.

(* It tends to one at the rate A_high/tau_y. *)
Lemma below_rate : forall t, is_derive below t (- A_high L / tau_y L * (below t - 1)).
Proof.
  intros t; unfold below; auto_derive; [auto | ].
  unfold Rdiv; ring.
Qed.

(* (39) solves (38) and begins at ||dh(0)||^2. *)
Lemma eq39_solves : (forall t, eq39 L t) -> dh2 L 0 = dh2_0 L /\ forall t, 0 <= t -> eq38 L t.
Proof.
  intros E39; assert (E : forall t, A_high L / below t = dh2 L t) by (intros; symmetry; apply E39).
  split.
  - rewrite <- E, below_at_0; field; lra.
  - intros t Ht; assert (Hb := below_nonzero t Ht); assert (Hr := below_rate t).
    apply rate; apply (rate_as _ (fun t => A_high L / below t) t _
      (- A_high L * (- A_high L / tau_y L * (below t - 1)) / below t ^ 2)); [ | exact E | ].
    + auto_derive; [derivable | known_rates; field; split; [lra | exact Hb]].
    + rewrite <- E; field; split; [exact Hb | lra].
Qed.

(* What solves (38) from there and is a square, hence not negative, is (39). *)
Lemma eq38_gives_eq39 : forall T, (forall t, 0 <= t <= T -> eq38 L t /\ 0 <= dh2 L t) ->
  dh2 L 0 = dh2_0 L -> 0 <= T -> eq39 L T.
Proof.
  intros T H E0 HT.
  pose (missed := fun t => - (dh2 L t * below t - A_high L) ^ 2).
  assert (Hrising : missed 0 <= missed T).
  { apply (rising missed (fun t => 2 * dh2 L t / tau_y L * (dh2 L t * below t - A_high L) ^ 2)); auto.
    - intros t Ht; destruct (H t Ht) as (E & _); apply rate in E; assert (Hr := below_rate t).
      unfold missed; auto_derive; [derivable | known_rates; field; lra].
    - intros t Ht; destruct (H t Ht) as (_ & Hpos).
      apply Rmult_le_pos; [ | apply pow2_ge_0].
      apply Rmult_le_pos; [lra | left; now apply Rinv_0_lt_compat]. }
  assert (E : dh2 L T * below T - A_high L = 0).
  { assert (Estart : missed 0 = 0).
    { unfold missed; rewrite E0, below_at_0; field; lra. }
    apply Rsqr_0_uniq; unfold Rsqr; unfold missed in *.
    generalize (pow2_ge_0 (dh2 L T * below T - A_high L)); lra. }
  assert (Hb := below_nonzero T HT).
  unfold eq39, eq39_1; fold (below T).
  apply (Rmult_eq_reg_r (below T)); [ | exact Hb].
  replace (A_high L / below T * below T) with (A_high L) by (field; exact Hb); lra.
Qed.

End Bernoulli.

(* (39) at all times solves (38) from t = 0 on, and begins at ||dh(0)||^2, for A_high of either sign.
   Checks (38), (39). *)
Theorem eq39_solves_eq38 : forall L, 0 < tau_y L -> 0 < dh2_0 L -> A_high L <> 0 ->
  (forall t, eq39 L t) -> dh2 L 0 = dh2_0 L /\ forall t, 0 <= t -> eq38 L t.
Proof. exact eq39_solves. Qed.

(* For A_high not zero, a ||dh||^2 that satisfies (38) until T, begins at ||dh(0)||^2 and is never negative is
   (39) at T; to satisfy (38) means a derivative from both sides at t = 0 and at T too.
   Checks (38), (39). *)
Theorem eq38_has_one_solution : forall L T, 0 < tau_y L -> 0 < dh2_0 L -> A_high L <> 0 ->
  (forall t, 0 <= t <= T -> eq38 L t /\ 0 <= dh2 L t) -> dh2 L 0 = dh2_0 L -> 0 <= T -> eq39 L T.
Proof. intros L T Hy H0 Hhigh; exact (eq38_gives_eq39 L Hy H0 Hhigh T). Qed.

(* The right side of (40), where (39) does not divide by zero, is (24) with (39), however (40) is written. *)
Lemma eq40_right : forall L t, constants L -> below L t <> 0 ->
  eq40_1_right L t
  = tau_h L / (dx2 L * tau_y L) * (A_high L / below L t) * (A_high L / below L t - A_high L).
Proof.
  intros L t (Hdx & Hh & Hy & H0) Hb.
  assert (Hb' : (A_high L - dh2_0 L) * exp (- A_high L * t / tau_y L) + dh2_0 L <> 0).
  { replace (_ + _) with (dh2_0 L * below L t) by (unfold below; field; lra).
    apply Rmult_integral_contrapositive_currified; [lra | exact Hb]. }
  unfold eq40_1_right, below in *; revert Hb Hb'.
  generalize (exp (- A_high L * t / tau_y L)); intros e Hb Hb'.
  field; repeat split; try lra; intros E; apply Hb'; lra.
Qed.

(* Where (39) does not divide by zero, it does not a little before and after. *)
Lemma below_near : forall L t, 0 < tau_y L -> below L t <> 0 -> locally t (fun t' => below L t' <> 0).
Proof.
  intros L t Hy Hb.
  assert (Hex : ex_derive (below L) t) by (eexists; now apply below_rate).
  apply (ex_derive_continuous (below L) t Hex (fun u => u <> 0)), (open_neq 0); exact Hb.
Qed.

(* For A_high not zero, with (24) and A_high from (11), (39) gives (40). Checks (24), (39), (40). *)
Theorem eq40_holds : forall L t, constants L -> eq11_1 L -> A_high L <> 0 -> 0 <= t ->
  eq24 L t -> eq39 L t -> eq40 L t.
Proof.
  intros L t Hc Hhigh Hn Ht E24 E39; assert (El := level L t Hc Hhigh E24).
  assert (Hconst := Hc); destruct Hc as (Hdx & Hh & Hy & H0).
  assert (E : eq40_1_right L t = dy2 L t)
    by (rewrite (eq40_right L t Hconst (below_nonzero L Hy H0 Hn t Ht)), El, E39; reflexivity).
  symmetry; exact E.
Qed.

(* For A_high not zero, (39) and (40) at all times solve (37) from t = 0 on, and begin at ||dh(0)||^2 and
   ||dy(0)||^2.
   Checks (37), (39), (40). *)
Theorem eq39_eq40_solve_eq37 : forall L, constants L -> eq11_1 L -> A_high L <> 0 ->
  (forall t, eq39 L t) -> (forall t, eq40 L t) ->
  dh2 L 0 = dh2_0 L /\ dy2 L 0 = dy2_0 L /\ forall t, 0 <= t -> eq37 L t.
Proof.
  intros L Hconst Hhigh Hn E39 E40; unfold eq11_1 in Hhigh.
  assert (Hc := Hconst); destruct Hc as (Hdx & Hh & Hy & H0).
  destruct (eq39_solves L Hy H0 Hn E39) as (Estart & E38).
  assert (El : forall t, below L t <> 0 ->
                 dy2 L t = tau_h L / (dx2 L * tau_y L) * dh2 L t * (dh2 L t - A_high L)).
  { intros t Hb; rewrite (E39 t); exact (eq_trans (E40 t) (eq40_right L t Hconst Hb)). }
  split; [exact Estart | split].
  - rewrite El, Estart, Hhigh by (apply below_nonzero; lra); field; lra.
  - intros t Ht; assert (E := E38 t Ht); apply rate in E.
    assert (Hb := below_sign L Hy H0 Hn t Ht); assert (Hb0 := below_nonzero L Hy H0 Hn t Ht).
    assert (Hpos : dh2 L t <> 0).
    { rewrite (E39 t); fold (below L t); intros E0; apply Hn.
      apply (Rmult_eq_reg_r (/ below L t)); [rewrite Rmult_0_l; exact E0 | ].
      apply Rinv_neq_0_compat; intros Eb; rewrite Eb in Hb; lra. }
    split; apply rate.
    + apply (rate_as _ _ _ _ _ E); [reflexivity | rewrite El by exact Hb0; field; lra].
    + eapply rate_near;
        [ | apply (filter_imp _ _ (fun t' H => eq_sym (El t' H)) (below_near L t Hy Hb0)) | ].
      * auto_derive; [derivable | reflexivity].
      * known_rates; rewrite El by exact Hb0; field; lra.
Qed.

(* For A_high not zero, (39), (40) and w = ||dy||^2 at all times solve all three lines of (7) with identical
   targets, ||dy*||^2 = 0, from t = 0 on, where ||dh||^2 > 0 stays.
   Checks (7), (39), (40). *)
Theorem eq39_eq40_solve_eq7 : forall L, constants L -> eq11_1 L -> A_high L <> 0 -> dy2_target L = 0 ->
  (forall t, eq39 L t) -> (forall t, eq40 L t) -> (forall t, w L t = dy2 L t) ->
  forall t, 0 <= t -> eq7 L t /\ 0 < dh2 L t.
Proof.
  intros L Hconst Hhigh Hn Htarget E39 E40 Ew t Ht.
  destruct (eq39_eq40_solve_eq37 L Hconst Hhigh Hn E39 E40) as (_ & _ & E37).
  destruct (E37 t Ht) as (Edh & Edy); apply rate in Edh, Edy.
  destruct Hconst as (Hdx & Hh & Hy & H0).
  assert (Hpos : 0 < dh2 L t).
  { rewrite (E39 t); fold (below L t); assert (Hb := below_sign L Hy H0 Hn t Ht).
    assert (Hb2 : 0 < below L t ^ 2) by (apply pow2_gt_0; now apply below_nonzero).
    replace (A_high L / below L t) with (A_high L * below L t / below L t ^ 2)
      by (field; now apply below_nonzero).
    now apply Rdiv_lt_0_compat. }
  split; [ | exact Hpos].
  split; [ | split]; apply rate.
  - rewrite Ew; exact Edh.
  - rewrite Ew; exact Edy.
  - apply (rate_as _ _ _ _ _ Edy); [intros; symmetry; apply Ew | ].
    rewrite Ew, Htarget; field; lra.
Qed.

(* For A_high = 0, which (39) leaves out, (39=) solves (38) from t = 0 on and begins at ||dh(0)||^2.
   Checks (38), (39=). *)
Theorem eq39equal_solves_eq38 : forall L, 0 < tau_y L -> 0 < dh2_0 L -> A_high L = 0 ->
  (forall t, eq39equal L t) -> dh2 L 0 = dh2_0 L /\ forall t, 0 <= t -> eq38 L t.
Proof.
  intros L Hy H0 Hhigh E; split.
  - rewrite (E 0); field; lra.
  - intros t Ht.
    assert (Hb : 0 < t * dh2_0 L / tau_y L + 1).
    { assert (0 <= t * dh2_0 L / tau_y L); [ | lra].
      apply Rmult_le_pos; [apply Rmult_le_pos; lra | left; now apply Rinv_0_lt_compat]. }
    assert (Hb' : t * dh2_0 L + tau_y L <> 0) by nra.
    apply rate; eapply rate_as; [ | intros t'; symmetry; apply E | ].
    + auto_derive; [ | reflexivity]; lra.
    + rewrite (E t), Hhigh; field; repeat split; lra.
Qed.
